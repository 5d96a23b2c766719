import { z } from 'zod';
import { PROVER } from '../access/prover.ts';
import type { Certificate } from '../certificates/certificate.ts';
import type { Engine } from '../engine/engine.ts';
import { MANIFEST_TYPES, RegistryClient } from '../registry/client.ts';
import { digestOf } from '../registry/digest.ts';
import { endpointOf, type ProofParts } from '../registry/ensure-proof.ts';
import { statusOnceKnown } from '../registry/known.ts';
import { parseAs } from '../system/json.ts';
import { withTemporaryUser } from '../users/temporary-user.ts';
import type { Answered, Ask } from './samples.ts';

const answers = z.array(z.object({ status: z.number(), digest: z.string(), text: z.string() }));

/** Runs in the gate, which has the registry's socket and Node; nothing else reaches it. */
const SCRIPT = `
const { request } = require('node:http');
const { createHash } = require('node:crypto');
const { writeFileSync } = require('node:fs');
const headers = { host: 'localhost', accept: ${JSON.stringify(MANIFEST_TYPES)} };
const ask = (path) => new Promise((resolve) => {
  const silent = (error) => resolve({ status: 0, digest: '', text: error.message });
  const asked = request({ socketPath: '/run/registry/registry.sock', path, headers }, (answer) => {
    const hash = createHash('sha256');
    let text = '';
    answer.on('data', (bytes) => { hash.update(bytes); if (!path.includes('/blobs/')) text += bytes; });
    answer.on('error', silent);
    answer.on('end', () => resolve({ status: answer.statusCode, digest: 'sha256:' + hash.digest('hex'), text }));
  });
  asked.setTimeout(30000, () => asked.destroy(new Error('no answer within 30 s')));
  asked.on('error', silent);
  asked.end();
});
Promise.all(process.argv.slice(1).map(ask)).then((all) => writeFileSync(1, JSON.stringify(all)));
`;

/** Lets `work` ask the registry, by whichever way there is past rights that concern people. */
export function withAsk<T>(
  parts: ProofParts,
  certificate: Certificate,
  work: (ask: Ask) => Promise<T>,
): Promise<T> {
  const { engine, settings } = parts;
  if (settings.auth.by === 'gate') return work(askThroughGate(engine, settings.project));
  return withTemporaryUser(parts.paths.usersFile, PROVER, async (credentials) => {
    const client = new RegistryClient(await endpointOf(parts, certificate, credentials), credentials);
    await statusOnceKnown(parts.clock, client);
    return work((paths) => Promise.all(paths.map((path) => askAs(client, path))));
  });
}

async function askAs(client: RegistryClient, path: string): Promise<Answered> {
  const { status, body } = await client.read(path);
  return { status, digest: digestOf(body), text: path.includes('/blobs/') ? '' : body.toString() };
}

/** Asks distribution itself, past nginx and gate: these two may know images from its disk that it can't read any more. */
function askThroughGate(engine: Engine, project: string): Ask {
  return async (paths): Promise<readonly Answered[]> => {
    const [gate] = await engine.containers.ofService(project, 'gate');
    if (gate === undefined) return [];
    const { output } = await engine.containers.exec(gate.id, ['node', '-e', SCRIPT, ...paths]);
    return parseAs(output, answers) ?? paths.map(() => ({ status: 0, digest: '', text: output.trim() }));
  };
}
