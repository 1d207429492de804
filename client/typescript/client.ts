// The client of gistdeal's HTTP API: openapi-fetch with the types of the OpenAPI
// document. schema.d.ts is generated; "make clients" does it.

import createClient, { type Client } from 'openapi-fetch';
import type { components, paths } from './schema.d.ts';

export type Schemas = components['schemas'];
export type Problem = Schemas['Problem'];

// connect returns a client of the server at an address such as http://localhost:8050.
// The token may be empty if the server needs none.
export function connect(server: string, token = ''): Client<paths> {
  return createClient<paths>({ baseUrl: server, headers: token ? { Authorization: `Bearer ${token}` } : {} });
}
