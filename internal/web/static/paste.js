// Parses pasted text like the server: words separated by spaces, commas or line
// breaks. From a table with a heading, only the columns of logins and tags are used.

const heading = /^"?(login|username|user|github|github[ _-]?(login|user|username|url)|profile|url|link)"?$/i;

// Those that can be above the only column: people are named user or github.
const soleHeading = /^"?(login|username|github[ _](login|user|username|url))"?$/i;

// named returns the logins and links of a text, and the tags in a column of that name by login.
export function named(text) {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/).map((line) => line.replace(/(^|[\s,;])#.*$/, '')).filter((line) => line.trim());
  const mark = [',', ';', '\t'].find((sign) => lines[0]?.includes(sign));
  const cells = (line) => line.split(mark ?? '\n').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));
  const first = lines.length > 1 ? cells(lines[0]) : [];
  const called = (name) => first.findIndex((cell) => cell.toLowerCase() === name);
  const column = called('login') >= 0 ? called('login') : first.findIndex((cell) => (mark ? heading : soleHeading).test(cell));
  if (column < 0) return { logins: lines.flatMap((line) => line.split(/[\s,;]+/)).map((word) => word.replace(/^"(.*)"$/, '$1')).filter(Boolean), tags: {} };
  const logins = [];
  const tags = {};
  for (const row of lines.slice(1).map(cells).filter((row) => row[column])) {
    const some = row[called('tags')]?.split(/[\s,;]+/).filter(Boolean);
    logins.push(row[column]);
    if (some?.length) tags[row[column]] = [...(tags[row[column]] ?? []), ...some];
  }
  return { logins, tags };
}
