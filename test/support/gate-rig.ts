import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { Agent, type ClientRequest, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import type { AuditEvent } from '../../src/gate/audit.ts';
import { Gate } from '../../src/gate/gate.ts';
import type { Comparison, Hasher } from '../../src/gate/hasher.ts';
import { LastUse } from '../../src/gate/last-use.ts';
import { GateMetrics } from '../../src/gate/metrics.ts';
import { Rulebook } from '../../src/gate/rulebook.ts';
import { Space, type SpaceParts } from '../../src/gate/space.ts';
import { Stored } from '../../src/gate/stored.ts';
import { Upstream } from '../../src/gate/upstream.ts';
import { Verifier } from '../../src/gate/verifier.ts';
import { Secret } from '../../src/secret.ts';
import { writeAtomically } from '../../src/system/files.ts';
import { hashPassword } from '../../src/users/password.ts';
import { FakeClock } from './fake-clock.ts';
import { type SmallRegistry, startSmallRegistry } from './small-registry.ts';

const ACCESS = `
users:
  ada: [push:team/**, delete:team/**]
  root: [admin]
immutable: ['team/**:v*']
`;
const ADDRESS = '192.0.2.1';

export interface Answered {
  readonly status: number;
  readonly reason: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

export type GateRig = Awaited<ReturnType<typeof startGateRig>>;

/**
 * A gate with all its parts in this process, before a small registry. The password `right` is right for everybody.
 * @param data what the gate takes for the registry's disk
 */
export async function startGateRig(
  access: string = ACCESS,
  watched?: Pick<SpaceParts, 'reserve' | 'look'>,
  data?: string,
) {
  const root = await mkdtemp(join(tmpdir(), 'gate-'));
  const socketPath = join(root, 'gate.sock');
  const files = {
    usersFile: join(root, 'registry.password'),
    accessFile: join(root, 'access.yaml'),
    tokensFile: join(root, 'tokens.json'),
    root,
    gate: join(root, 'gate'),
  };
  const hash = await hashPassword(new Secret('right'), 4);
  await writeAtomically(files.usersFile, `ada:${hash}\nroot:${hash}\n`, 0o600);
  await writeAtomically(files.accessFile, access, 0o600);

  const events: AuditEvent[] = [];
  const told: string[] = [];
  const tell = (line: string) => void told.push(line);
  const clock = new FakeClock('2026-01-01T00:00:00Z');
  const registry: SmallRegistry = await startSmallRegistry(join(root, 'registry.sock'));
  const upstream = new Upstream(join(root, 'registry.sock'), clock, 0);
  const space = new Space({ clock, tell, ...(watched ?? NO_MARK) });
  const metrics = new GateMetrics();
  const rules = await Rulebook.open(files, clock, tell);
  const verifier = new Verifier({ hasher: byPassword, clock, ttl: 60_000, highestCost: () => 4 });
  const gate = new Gate({
    rules,
    verifier,
    audit: metrics.counting({ write: (event) => events.push(event) }),
    metrics,
    lastUse: await LastUse.open(join(root, 'last-used.json'), clock),
    clock,
    upstream,
    space,
    stored: data === undefined ? undefined : new Stored(data, clock),
    tell,
  });
  await gate.listen(socketPath);
  const text = () =>
    metrics.text({
      throttled: verifier.throttled(),
      space: space.state,
      rulesInForce: rules.current !== undefined,
    });

  const agent = new Agent({ keepAlive: true }); // as nginx does
  const headersOf = (method: string, uri: string, login: string | undefined) => ({
    'x-method': method,
    'x-uri': uri,
    'x-address': ADDRESS,
    ...(login === undefined ? {} : { authorization: `Basic ${Buffer.from(login).toString('base64')}` }),
  });
  return {
    clock,
    files,
    events,
    told,
    registry,
    gate,
    space,
    socketPath,
    metrics: text,
    /** What a metric says, by its name and labels as Prometheus' text has them. */
    metric: async (series: string): Promise<number | undefined> => {
      const line = (await text()).split('\n').find((each) => each.startsWith(`${series} `));
      return line === undefined ? undefined : Number(line.slice(series.length));
    },
    /** As nginx asks about a request. */
    ask: (method: string, uri: string, login: string | undefined, more: Record<string, string> = {}) =>
      answerOf(
        request({
          socketPath,
          path: '/ask',
          headers: { ...headersOf(method, uri, login), ...more },
          agent: false,
        }),
        undefined,
      ),
    /** As nginx leaves a request to the gate. */
    leave: (
      method: string,
      uri: string,
      login: string | undefined,
      body?: string,
      type = 'application/json',
      more: Record<string, string> = {},
    ) => {
      const headers = { ...headersOf(method, uri, login), 'content-type': type, ...more };
      return answerOf(request({ socketPath, method, path: uri, headers, agent }), body);
    },
    /** As nginx leaves a request to the gate of whose body the first byte has come. */
    begin: (method: string, uri: string, login: string): ClientRequest => {
      const headers = { ...headersOf(method, uri, login), 'transfer-encoding': 'chunked' };
      const asked = request({ socketPath, agent: false, method, path: uri, headers });
      asked.write('x');
      return asked;
    },
    /** A push of a manifest of no known size that the gate has been asked for, and of which nothing has come yet. */
    beginPush: async (login: string, agent: Agent | false = false): Promise<ClientRequest> => {
      const uri = '/v2/team/app/manifests/v1';
      const headers = { ...headersOf('PUT', uri, login), expect: '100-continue' };
      const asked = request({ socketPath, agent, method: 'PUT', path: uri, headers });
      asked.flushHeaders();
      await once(asked, 'continue');
      return asked;
    },
    stop: async () => {
      agent.destroy();
      await gate.close();
      upstream.close();
      await registry.close().catch(() => undefined);
    },
  };
}

const NO_MARK = { reserve: { bytes: 0 }, look: async () => ({ free: 0, size: 0 }) };

const byPassword: Hasher = {
  compare: async ({ password }: Comparison) => ({ kind: password.reveal() === 'right' ? 'right' : 'wrong' }),
};

async function answerOf(asked: ClientRequest, body: string | undefined): Promise<Answered> {
  asked.end(body);
  const [response] = await once(asked, 'response');
  return {
    status: response.statusCode,
    reason: response.statusMessage,
    headers: response.headers,
    body: await textOf(response),
  };
}
