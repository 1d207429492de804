// The form of a rule.

import { button, el } from './dom.js';
import { actions, condition, deletions, edits, facts, groups, places } from './rulewords.js';

// inserted are values for templates, by what they are.
const inserted = {
  'GitHub login': '{{.Login}}', Description: '{{line .Description | default "a gist" | short 80}}', Language: '{{.Language}}', 'Names of files': '{{.FileNames | join ", "}}',
  'Tags of the user': '{{.Tags | join ", "}}', 'Day of creation': '{{date .Created}}', 'Address of the gist': '{{.URL}}', 'Number of files': '{{.FileCount}}', 'First lines of a file': '{{.FirstLines | lines 5}}',
};

const field = (word, input, hint) => el('label', { className: 'field' }, el('span', {}, word), input, hint && el('span', { className: 'quiet hint' }, hint));

const select = (options, value, props) => el('select', props, options.map(([each, word]) => el('option', { value: each, selected: each === (value ?? '') }, word)));

// inputs returns functions that make inputs for texts and numbers of an object. They call changed after each change.
function inputs(changed) {
  const text = (object, name, props = {}) => {
    const input = el('input', { value: object[name] ?? '', autocomplete: 'off', data: { field: name }, ...props });
    input.oninput = () => {
      object[name] = input.type === 'number' ? (input.value === '' ? undefined : Number(input.value)) : input.value;
      changed();
    };
    return input;
  };
  return { text, number: (object, name, props) => text(object, name, { type: 'number', min: 0, step: 1, ...props }) };
}

// most are the inputs for the limits of a rule.
const most = (rule, number) => [['per_user_and_day', 'Most deals per user and day'], ['per_day', 'Most deals a day']].map(([name, word]) => field(word, number(rule, name, { value: rule[name] || '' })));
const over = 'Further deals wait for approval. Leave it empty for no limit.';

// lastForm edits the limits of the last rule in place, and calls changed after each change.
export const lastForm = (rule, changed) => el('form', { className: 'rule-form', onsubmit: (event) => event.preventDefault() },
  el('div', { className: 'rule-grid' }, most(rule, inputs(changed).number)), el('p', { className: 'quiet' }, over));

// form edits a rule in place, and calls changed after each change.
export function form(rule, catalog, changed) {
  const { text, number } = inputs(changed);
  const then = el('div', { className: 'rule-then' });
  const action = select(Object.entries(actions).map(([name, { word }]) => [name, word]), rule.action, { data: { field: 'action' } });
  const redraw = () => then.replaceChildren(...(rule.action === 'skip' ? [] : target(rule, catalog, { text, number, changed })));
  action.onchange = () => {
    rule.action = action.value;
    redraw();
    changed();
  };
  redraw();
  return el('form', { className: 'rule-form', onsubmit: (event) => event.preventDefault() },
    field('Name', text(rule, 'name', { maxLength: 100, required: true })),
    Object.entries(groups).map(([name, word]) => group(rule, name, word, { text, number, changed })),
    field('Then', action), then);
}

// group is one list of conditions.
function group(rule, name, word, parts) {
  const list = el('ul', { className: 'conditions' });
  const all = (rule[name] ??= []);
  const redraw = () => {
    list.replaceChildren(...all.map((one) => el('li', {}, conditionForm(one, redraw, parts), button('Remove', () => {
      all.splice(all.indexOf(one), 1);
      redraw();
      add.focus();
      parts.changed();
    }, { ariaLabel: `Remove the condition: ${condition(one)}` }))));
  };
  const add = button('Add a condition', () => {
    all.push({ fact: name === 'none' ? 'fork' : 'keyword' });
    redraw();
    list.lastChild.querySelector('select').focus();
    parts.changed();
  }, { data: { add: name }, disabled: all.length >= 50 });
  redraw();
  return el('fieldset', { className: 'small', data: { group: name } }, el('legend', {}, word), list, add);
}

function conditionForm(one, redraw, { text, number, changed }) {
  const { example, where, unit } = facts[one.fact];
  const kind = select(Object.entries(facts).map(([name, { word }]) => [name, word]), one.fact, { ariaLabel: 'Condition', data: { field: 'fact' } });
  kind.onchange = () => {
    const next = facts[kind.value];
    Object.assign(one, { fact: kind.value, ...(!next.example && { value: undefined }), ...(!next.where && { in: undefined }), ...(next.unit === undefined && { least: undefined, most: undefined }) });
    const at = kind.closest('li');
    const place = [...at.parentElement.children].indexOf(at);
    const list = at.parentElement;
    redraw();
    list.children[place].querySelector('select').focus();
    changed();
  };
  const place = where && select(Object.entries(places), one.in, { ariaLabel: 'Where' });
  if (place) {
    place.onchange = () => {
      one.in = place.value;
      changed();
    };
  }
  return [kind, example && text(one, 'value', { placeholder: example, maxLength: 200, ariaLabel: facts[one.fact].word }), place,
    unit !== undefined && [number(one, 'least', { ariaLabel: 'At least', placeholder: 'at least' }), number(one, 'most', { ariaLabel: 'At most', placeholder: 'at most' })]];
}

// target are the fields for the deal that a rule creates.
function target(rule, { stages, owners, labels, fields }, parts) {
  const { number, changed } = parts;
  const choice = (name, names, none) => {
    const known = [...new Set([...names, rule[name]])].filter(Boolean);
    const input = select([['', none], ...known.map((each) => [each, each])], rule[name], { data: { field: name } });
    input.onchange = () => {
      rule[name] = input.value;
      changed();
    };
    return input;
  };
  const names = (all) => all.map(({ name }) => name);
  const stage = el('div');
  const drawStage = () => stage.replaceChildren(field('Stage', choice('stage', names(stages.filter((one) => one.pipeline === rule.pipeline)), rule.pipeline ? 'First stage' : 'As in the settings')));
  const pipeline = choice('pipeline', stages.map((one) => one.pipeline), 'As in the settings');
  pipeline.addEventListener('change', () => {
    rule.stage = '';
    drawStage();
    changed();
  });
  drawStage();
  const priority = select([['high', 'High: before other deals'], ['', 'Normal'], ['low', 'Low: after other deals']], rule.priority, { data: { field: 'priority' } });
  priority.onchange = () => {
    rule.priority = priority.value;
    changed();
  };
  return [
    el('div', { className: 'rule-grid' }, field('Pipeline', pipeline), stage, field('Owner', choice('owner', names(owners), 'As in the settings')), field('Label', choice('label', names(labels), 'None'))),
    template('Title', rule, 'title', parts, 'Leave it empty for the usual title.'),
    field('When the gist is edited', onEdit(rule, 'title_on_edit', parts)),
    values(rule, fields, parts),
    onDelete(rule, stages, parts),
    el('div', { className: 'rule-grid' },
      most(rule, number), field('Priority', priority)),
    el('p', { className: 'quiet' }, over),
  ];
}

// onEdit chooses the effect of an edit on a value.
function onEdit(object, name, { changed }) {
  const input = select(Object.entries(edits), object[name], { data: { field: name } });
  input.onchange = () => {
    object[name] = input.value;
    changed();
  };
  return input;
}

// onDelete chooses the effect of a deletion on the deal.
function onDelete(rule, stages, { changed }) {
  const what = select(Object.entries(deletions), rule.on_delete, { data: { field: 'on_delete' } });
  const stage = el('div');
  const same = (one) => one.name === rule.on_delete_stage && (!rule.on_delete_pipeline || one.pipeline === rule.on_delete_pipeline);
  const draw = () => {
    const known = stages.findIndex(same);
    const options = stages.map((one, at) => [`${at}`, `${one.pipeline}, ${one.name}`]);
    const missing = known < 0 && rule.on_delete_stage;
    const input = select([['', missing ? rule.on_delete_stage : 'Choose a stage'], ...options], known < 0 ? '' : `${known}`, { data: { field: 'on_delete_stage' } });
    input.onchange = () => {
      const { pipeline, name } = stages[input.value] ?? {};
      Object.assign(rule, { on_delete_pipeline: pipeline, on_delete_stage: name, on_delete_stage_id: undefined });
      changed();
    };
    stage.replaceChildren(...(rule.on_delete === 'stage' ? [field('To the stage', input)] : []));
  };
  what.onchange = () => {
    rule.on_delete = what.value;
    if (what.value !== 'stage') Object.assign(rule, { on_delete_pipeline: undefined, on_delete_stage: undefined, on_delete_stage_id: undefined });
    draw();
    changed();
  };
  draw();
  return el('div', { className: 'rule-grid' }, field('When the gist is deleted', what, 'Or made secret. No deal is ever deleted.'), stage);
}

// template is a text with values of the gist, which a list inserts.
function template(word, object, name, { text, changed }, hint) {
  const input = text(object, name, { maxLength: 2000, spellcheck: false });
  const insert = select([['', 'Insert…'], ...Object.entries(inserted).map(([what, value]) => [value, what])], '', { ariaLabel: `Insert into ${word}` });
  insert.onchange = () => {
    const at = input.selectionEnd ?? input.value.length;
    input.setRangeText(insert.value, at, at, 'end');
    object[name] = input.value;
    insert.value = '';
    input.focus();
    changed();
  };
  return el('div', { className: 'template' }, field(word, input, hint), insert);
}

// values are the custom fields that the rule fills.
function values(rule, known, parts) {
  const list = el('ul', { className: 'conditions' });
  const all = (rule.fields ??= []);
  const redraw = () => list.replaceChildren(...all.map((one) => {
    const names = [...new Set([...known.map(({ name }) => name), one.field])].filter(Boolean);
    const which = select([['', 'Choose a field'], ...names.map((name) => [name, name])], one.field, { ariaLabel: 'Custom field' });
    which.onchange = () => {
      Object.assign(one, { field: which.value, code: undefined, type: undefined });
      parts.changed();
    };
    return el('li', {}, which, template('Value', one, 'template', parts), field('When the gist is edited', onEdit(one, 'on_edit', parts)), button('Remove', () => {
      all.splice(all.indexOf(one), 1);
      redraw();
      add.focus();
      parts.changed();
    }, { ariaLabel: `Remove the field ${one.field ?? ''}` }));
  }));
  const add = button('Add a field', () => {
    all.push({ field: '', template: '' });
    redraw();
    list.lastChild.querySelector('select').focus();
    parts.changed();
  }, { data: { add: 'fields' } });
  redraw();
  return el('fieldset', { className: 'small' }, el('legend', {}, 'Custom fields'), list, add);
}
