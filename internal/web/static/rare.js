// The views that are loaded when one of them is first visited, by the names in their addresses.

import { audit } from './audit.js';
import { reference } from './reference.js';
import { rules } from './rules.js';
import { settings } from './settings.js';
import { webhooks } from './webhooks.js';

export const views = { audit, rules, settings, webhooks, api: reference };
