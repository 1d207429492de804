// The API reference for developers, drawn from the OpenAPI document.

import * as api from './api.js';
import { button, el, icon } from './dom.js';
import { card, empty } from './parts.js';
import { capital, counted } from './words.js';

const verbs = ['get', 'post', 'put', 'patch', 'delete'];
const scoped = /\s*Needs the scope (\w+)\.\s*/;

export function reference(page) {
  const all = button('Expand all', () => {
    const closed = [...page.body.querySelectorAll('details.operation')].some((one) => !one.open);
    for (const one of page.body.querySelectorAll('details.operation')) one.open = closed;
  }, { id: 'open-all' });
  page.head('API', el('div', { className: 'line' }, all, el('a', { href: api.openapi, className: 'button', id: 'openapi' }, 'OpenAPI document')));
  return page.keep(async () => {
    const doc = await api.described(page.signal);
    if (page.shown) return; // The document changes only with the program.
    const groups = Map.groupBy(operations(doc), ({ tag }) => tag);
    page.show(
      card('About the API', el('p', {}, doc.info.description), el('p', { className: 'quiet' }, 'Send a token in the header “Authorization: Bearer …”. Admins create tokens under Settings.')),
      ...(groups.size ? [...groups].map(([tag, some]) => el('section', { className: 'card group' }, el('h2', {}, capital(tag), el('span', { className: 'count' }, some.length)), some.map((one) => operation(doc, one)))) : [empty('failed', 'No operations', 'Check the OpenAPI document.')]));
  });
}

const operations = ({ paths }) => Object.entries(paths).flatMap(([path, methods]) =>
  verbs.filter((verb) => methods[verb]).map((verb) => ({ path, verb, tag: methods[verb].tags?.[0] ?? 'other', ...methods[verb] })));

function operation(doc, { path, verb, summary, description = '', parameters = [], requestBody, responses }) {
  const [, scope] = description.match(scoped) ?? [];
  const text = description.replace(scoped, ' ').trim();
  const answers = Object.entries(responses);
  return el('details', { className: 'operation', data: { operation: `${verb} ${path}` } },
    el('summary', {},
      el('span', { className: 'verb', data: { verb } }, verb.toUpperCase()), el('code', {}, path),
      scope && el('span', { className: 'badge', data: { tone: tones[scope] ?? 'none' }, title: `Needs a token with the scope ${scope}` }, icon(marks[scope] ?? 'queued'), scope),
      el('span', { className: 'quiet summary' }, summary)),
    el('div', { className: 'described' },
      text && el('p', {}, text),
      parameters.length > 0 && [el('h3', {}, 'Parameters'), el('dl', {}, parameters.map((one) => parameter(doc, one)))],
      requestBody && [el('h3', {}, 'Request body'), contents(doc, requestBody.content)],
      answers.filter(([status]) => status < '4').map(([status, { content, description: means }]) => [el('h3', {}, `Response ${status}`), content ? contents(doc, content) : el('p', { className: 'quiet' }, means)]),
      problems(answers)));
}

const tones = { read: 'good', write: 'info', admin: 'warn' };
const marks = { read: 'queued', write: 'sending', admin: 'users' };

const parameter = (doc, { name, in: place, required, schema, description }) => [
  el('dt', {}, el('code', {}, name), el('span', { className: 'quiet' }, ` in ${place}${required ? ', required' : ''}`)),
  el('dd', {}, el('code', {}, shape(doc, schema)), limitsOf(schema), description && el('p', { className: 'quiet' }, description)),
];

// limitsOf describes the limits of a parameter, except those that every value has.
function limitsOf({ default: usual, minimum, maximum, maxLength }) {
  const known = [usual !== undefined && `default ${usual}`, minimum > 0 && `minimum ${minimum}`, maximum < Number.MAX_SAFE_INTEGER && `maximum ${maximum}`, maxLength < 100_000 && `up to ${counted(maxLength, 'character')}`].filter(Boolean);
  return known.length > 0 && el('span', { className: 'quiet' }, ` ${known.join(', ')}`);
}

const contents = (doc, content) => Object.entries(content).map(([type, { schema }]) => [
  el('p', { className: 'quiet' }, type), schema && el('pre', {}, el('code', {}, shape(doc, schema)))]);

function problems(answers) {
  const some = answers.map(([status]) => status).filter((status) => !(status < '4'));
  return some.length > 0 && el('p', { className: 'quiet' }, `Errors: ${some.join(', ')}, as application/problem+json.`);
}

// shape formats a schema like a type of a programming language. It expands
// references, except within themselves.
function shape(doc, schema = {}, indent = '', inside = []) {
  if (schema.$ref) {
    const name = schema.$ref.split('/').at(-1);
    return inside.includes(name) ? name : shape(doc, doc.components.schemas[name], indent, [...inside, name]);
  }
  const one = (part) => shape(doc, part, indent, inside);
  const variants = schema.oneOf ?? schema.anyOf;
  if (variants) return variants.map(one).join(' | ');
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const types = [schema.type ?? 'any'].flat();
  const [type] = types;
  const none = types.includes('null') && type !== 'array' ? ' | null' : '';
  if (type === 'array') return `[${one(schema.items)}]`;
  if (type !== 'object') return `${formats[schema.format] ?? type}${none}`;
  if (!schema.properties) return `{ [name]: ${typeof schema.additionalProperties === 'object' ? one(schema.additionalProperties) : 'any'} }${none}`;
  const deeper = `${indent}  `;
  const lines = Object.entries(schema.properties).filter(([name]) => name !== '$schema').map(([name, part]) =>
    `${deeper}${name}${schema.required?.includes(name) ? '' : '?'}: ${shape(doc, part, deeper, inside)}${part.description ? `  // ${part.description}` : ''}`);
  return `{\n${lines.join('\n')}\n${indent}}${none}`;
}

const formats = { 'date-time': 'time', date: 'date', uri: 'address', binary: 'bytes' };
