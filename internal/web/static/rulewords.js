// The words of rules: actions, kinds of conditions, and a rule as a sentence.

// actions are what a rule does with a gist.
export const actions = {
  create: { word: 'Create the deal', few: 'deal' },
  hold: { word: 'Wait for approval', few: 'waits' },
  skip: { word: 'Create no deal', few: 'no deal' },
};

// groups are the lists of conditions of a rule.
export const groups = { all: 'All of these hold', any: 'At least one of these holds', none: 'None of these holds' };

// facts are the kinds of conditions. A text has an example, a number its unit.
export const facts = {
  tag: { word: 'User has the tag', example: 'customer' },
  login: { word: 'Login is like', example: 'acme-*' },
  language: { word: 'A file is in', example: 'Go' },
  file: { word: 'A file is named like', example: '*.tf' },
  keyword: { word: 'Text contains', example: 'terraform', where: true },
  regexp: { word: 'Text matches the expression', example: '(?i)kube(rnetes|ctl)', where: true },
  files: { word: 'Number of files', unit: '' },
  size: { word: 'Size in bytes', unit: ' bytes' },
  age: { word: 'Age in days', unit: ' days' },
  fork: { word: 'Gist is a fork' },
  backfill: { word: 'Gist is older than the tracking of its user' },
};

// edits are the effects of an edit of the gist on a value, deletions those of its deletion on the deal.
export const edits = { '': 'Leave it alone', update: 'Update it, unless somebody changed it', note: 'Write a note' };
export const deletions = { '': 'Leave the deal alone', note: 'Write a note', stage: 'Move an open deal to a stage' };

// places are where a text is looked for.
export const places = { '': 'Description or file name', description: 'Description', 'file name': 'File name' };

// cleanedSet returns rules and the limits of the last one as the API takes them: without what is empty.
export const cleanedSet = (all, last) => ({ rules: cleaned(all), everything_else: strip(last) });
export const cleaned = (all) => all.map((rule) => strip({ ...rule, name: rule.name.trim(), ...(!rule.title && { title_on_edit: undefined }), ...(rule.action === 'skip' && Object.fromEntries(content.map((name) => [name, undefined]))) }));
const content = ['pipeline', 'stage', 'owner', 'label', 'title', 'fields', 'priority', 'per_user_and_day', 'per_day', 'stage_id', 'owner_id', 'label_id',
  'title_on_edit', 'on_delete', 'on_delete_pipeline', 'on_delete_stage', 'on_delete_stage_id'];

function strip(value) {
  if (Array.isArray(value)) return value.map(strip);
  if (typeof value !== 'object' || value === null) return value;
  const full = (each) => each !== undefined && each !== null && each !== '' && each !== false && !(Array.isArray(each) && !each.length);
  const kept = Object.entries(value).filter(([name, each]) => name === 'name' || (full(each) && !(each === 0 && !['least', 'most'].includes(name))));
  return Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, each]) => [name, strip(each)]));
}

const quoted = (text) => (text ? `“${text}”` : '…');
const given = (n) => n !== undefined && n !== null;

// condition is a condition in words.
export function condition({ fact, value, in: place, least, most }) {
  const { unit, where } = facts[fact];
  const bounds = [given(least) && `at least ${least}`, given(most) && `at most ${most}`].filter(Boolean).join(' and ');
  if (where) return `${{ description: 'the description', 'file name': 'a file name' }[place] ?? 'the description or a file name'} ${fact === 'keyword' ? 'contains' : 'matches'} ${quoted(value)}`;
  return {
    tag: `the user has the tag ${quoted(value)}`, login: `the login is like ${quoted(value)}`, language: `a file is in ${value || '…'}`, file: `a file is named like ${quoted(value)}`,
    files: `the number of files is ${bounds || '…'}`, fork: 'the gist is a fork', backfill: 'the gist is older than the tracking of its user',
  }[fact] ?? `the ${fact} is ${bounds || '…'}${unit}`;
}

// sentence says what a rule does.
export function sentence(rule) {
  const list = (name, word) => (rule[name] ?? []).map(condition).join(` ${word} `);
  const [all, any, none] = [list('all', 'and'), list('any', 'or'), list('none', 'or')];
  const when = [all, any && (all && rule.any.length > 1 ? `(${any})` : any)].filter(Boolean).join(' and ');
  const parts = [`${when ? `if ${when}` : 'any gist'}${none ? `, but not if ${none}` : ''}: ${actions[rule.action].word.toLowerCase()}`];
  if (rule.action === 'skip') return `${parts[0]}.`;
  const place = [rule.pipeline, rule.stage].filter(Boolean).join(', ');
  if (place) parts.push(` in ${place}`);
  if (rule.owner) parts.push(`, owned by ${rule.owner}`);
  if (rule.label) parts.push(`, labelled ${rule.label}`);
  if (rule.title) parts.push(', with its own title');
  if (rule.fields?.length) parts.push(`, with ${rule.fields.map(({ field }) => field || '…').join(', ')}`);
  if ((rule.title && rule.title_on_edit) || rule.fields?.some(({ on_edit: edit }) => edit)) parts.push(', following edits');
  if (rule.on_delete === 'note') parts.push(', with a note if the gist is deleted');
  if (rule.on_delete === 'stage') parts.push(`, moved to ${rule.on_delete_stage || '…'} if the gist is deleted`);
  if (rule.priority) parts.push(`, with ${rule.priority} priority`);
  return `${parts.join('')}${limits(rule)}.`;
}

// limits says how many deals of a day a rule creates.
export const limits = ({ per_user_and_day: perUser, per_day: most }) => `${perUser ? `, at most ${perUser} a day per user` : ''}${most ? `, at most ${most} a day` : ''}`;

// lacks says what is missing in rules, '' if nothing is.
export function lacks(all) {
  for (const [at, rule] of all.entries()) {
    const say = (what) => `rule ${at + 1} needs ${what}.`;
    const name = rule.name.trim();
    const conditions = Object.keys(groups).flatMap((group) => rule[group] ?? []);
    if (!name) return say('a name');
    if (all.findIndex((other) => other.name.trim() === name) < at) return say('a name that no other rule has');
    if (conditions.some(({ fact, value }) => facts[fact].example && !value)) return say('a text in each condition');
    if (conditions.some(({ fact, least, most }) => facts[fact].unit !== undefined && !given(least) && !given(most))) return say('a number in each condition');
    if (rule.action !== 'skip' && rule.on_delete === 'stage' && !rule.on_delete_stage) return say('a stage for the deals of deleted gists');
    if (rule.action !== 'skip' && (rule.fields ?? []).some(({ field, template }) => !field || !template)) return say('a name and a value for each custom field');
  }
  return '';
}
