import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { connect } from './connect.ts';

let server: Server | undefined;

afterEach(() => {
  server?.close();
  server?.closeAllConnections();
});

/** What is known of a container that an engine lists in a state. */
async function listedAs(state: string) {
  const socket = join(await mkdtemp(join(tmpdir(), 'engine-')), 'docker.sock');
  const listed = [{ Id: 'a', Names: ['/a'], State: state, Labels: {}, Mounts: [] }];
  server = createServer((_, response) => response.end(JSON.stringify(listed))).listen(socket);
  await once(server, 'listening');
  return connect(`unix://${socket}`).containers.ofService('moorage', 'registry');
}

test.each([
  ['created', false, undefined],
  ['running', true, undefined],
  ['paused', false, 'paused'],
  ['restarting', false, 'restarting'],
  ['removing', false, undefined],
  ['exited', false, undefined],
  ['dead', false, undefined],
])(
  'a container that is %s: whether it can be asked is %s, and it is on hold as %s',
  async (state, running, onHold) => {
    expect(await listedAs(state)).toMatchObject([{ running, onHold }]);
  },
);
