// The form of the settings.

import * as api from './api.js';
import { el, icon } from './dom.js';
import { toast } from './parts.js';
import { undoable } from './undo.js';
import { capital } from './words.js';

const names = {
  pipeline: 'Pipeline of new deals', stage: 'Stage of new deals', owner: 'Owner of new deals', backfill: 'Existing gists of new users', approval_threshold: 'Approve batches larger than', daily_limit: 'Approve after this many deals of a user a day',
};

// options shows the settings. The stages on offer are those of the chosen pipeline. beside
// is shown beside the button that saves.
export function options(page, all, pipelines, read, { verb = 'Save', beside = null } = {}) {
  const { admin } = page;
  const fields = all.map((one) => setting(one, admin));
  if (!admin || all.every((one) => one.locked_by)) return [fields, !admin && el('p', { className: 'quiet' }, 'Only admin tokens can change settings.')];
  const wrong = el('p', { className: 'wrong', role: 'alert' });
  const save = el('button', { className: 'primary', id: 'save' }, verb);
  const form = el('form', { className: 'options' }, fields, wrong, el('div', { className: 'line' }, save, beside));
  const { pipeline, stage } = form.elements;
  if (pipeline && stage?.options) {
    pipeline.onchange = () => {
      const chosenOne = pipeline.value || all.find(({ name }) => name === 'pipeline').default;
      const stages = (pipelines.find(({ name }) => name === chosenOne) ?? pipelines[0])?.stages;
      if (stages) stage.replaceChildren(stage.options[0], ...stages.map((each) => el('option', { value: each, selected: each === stage.value }, each)));
    };
  }
  form.onsubmit = async (event) => {
    event.preventDefault();
    if (save.ariaBusy === 'true') return;
    wrong.textContent = '';
    save.ariaBusy = 'true';
    const text = (name) => (form.elements[name].value === since ? form.elements.since : form.elements[name]).value.trim();
    const changed = all.filter((one) => !one.locked_by && text(one.name) !== chosen(one));
    try {
      const saved = changed.length ? await api.set(Object.fromEntries(changed.map((one) => [one.name, entered(one, text(one.name))]))) : null;
      if (changed.length) undoable(page, 'Saved. Applies to new deals and users.', () => restore(changed, saved), { done: 'The settings are as before', changed: read });
      else toast('No changes');
      await read();
    } catch (problem) {
      wrong.textContent = capital(problem.message);
    } finally {
      save.ariaBusy = null;
    }
  };
  return form;
}

// restore sets the settings to their values before, unless somebody has changed one since.
async function restore(before, saved) {
  const value = ({ settings }, name) => settings.find((one) => one.name === name)?.value;
  const now = await api.settings();
  if (before.some(({ name }) => value(now, name) !== value(saved, name))) throw new api.Problem(409, 'Not undone', 'a setting was changed meanwhile');
  await api.set(Object.fromEntries(before.map((one) => [one.name, entered(one, chosen(one))])));
}

// chosen is the changed value as text, '' for the default; entered is the inverse.
const chosen = ({ value, default: usual }) => (value === usual ? '' : String(value));
const entered = ({ default: usual }, text) => (text === '' ? null : typeof usual === 'number' && /^\d+$/.test(text) ? Number(text) : text);

// unset describes an empty value.
const unset = (name) => ({ pipeline: 'account’s pipeline', stage: 'first stage', owner: 'owner of the API key' })[name] ?? 'none';

// setting shows a setting as a list, a text field, or a value that cannot be changed.
function setting(one, admin) {
  const { name, value, default: usual, locked_by: locked, options: known, doc } = one;
  const word = names[name] ?? name;
  const hint = el('span', { className: 'quiet', id: `${name}-hint` }, doc && capital(doc));
  if (locked || !admin) {
    return el('div', { className: 'field', data: { setting: name } }, el('p', { className: 'strong' }, word),
      el('p', { className: 'line' }, el('span', {}, capital(shown(name, String(value)))), locked && el('span', { className: 'badge', data: { tone: 'none' } }, icon('locked'), `Locked by ${locked}`)), hint);
  }
  const props = { id: `set-${name}`, name, attrs: { 'aria-describedby': `${name}-hint` } };
  const now = chosen(one);
  const date = name === 'backfill' && dateField(/^\d/.test(now) ? now : '');
  const others = [...new Set([...(known ?? []), !date?.value && now])].filter((each) => each && each !== usual);
  const field = known
    ? el('select', props, el('option', { value: '' }, `Default (${shown(name, usual)})`), others.map((each) => el('option', { value: each, selected: each === now }, shown(name, each))),
      date && el('option', { value: since, selected: date.value !== '' }, 'Gists created since a date'))
    : el('input', { ...props, value: now, placeholder: `Default (${usual})`, autocomplete: 'off' });
  if (date) {
    field.onchange = () => {
      date.hidden = field.value !== since;
      date.required = !date.hidden;
    };
    field.onchange();
  }
  return el('p', { className: 'field', data: { setting: name } }, el('label', { htmlFor: `set-${name}` }, word), field, date, hint);
}

const since = 'since'; // the choice of a date, which has a field of its own

const dateField = (value) => el('input', { type: 'date', name: since, value, ariaLabel: 'Since' });

// shown is a value in words.
const shown = (name, value) => (name === 'backfill' && { all: 'all gists', none: 'new gists only' }[value]) || value || unset(name);
