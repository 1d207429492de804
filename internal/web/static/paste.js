// Parses pasted text like the server: words separated by spaces, commas or line
// breaks. From a table with a heading, only the column of logins is used.

const heading = /^"?(login|username|user|github|github[ _-]?(login|user|username|url)|profile|url|link)"?$/i;

// words returns the logins and links of a text.
export function words(text) {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/).map((line) => line.replace(/(^|[\s,;])#.*$/, '')).filter((line) => line.trim());
  const mark = [',', ';', '\t'].find((sign) => lines[0]?.includes(sign));
  const cells = (line) => line.split(mark ?? '\n').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));
  const first = lines.length > 1 ? cells(lines[0]) : [];
  const login = first.findIndex((cell) => cell.toLowerCase() === 'login');
  const column = login >= 0 ? login : first.findIndex((cell) => heading.test(cell));
  if (column >= 0) return lines.slice(1).map((line) => cells(line)[column]).filter(Boolean);
  return lines.flatMap((line) => line.split(/[\s,;]+/)).map((word) => word.replace(/^"(.*)"$/, '$1')).filter(Boolean);
}
