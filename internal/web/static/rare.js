// The views that are loaded when one of them is first visited, by the names in their
// addresses, and the questions of a first start.

import { audit } from './audit.js';
import * as first from './choices.js';
import { erase } from './erase.js';
import { reference } from './reference.js';
import { rules } from './rules.js';
import { settings } from './settings.js';
import { webhooks } from './webhooks.js';

export const views = { audit, erase, rules, settings, webhooks, api: reference };

export const choices = first;
