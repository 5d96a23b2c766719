import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { BUILT } from '../../../src/images/catalog.ts';
import { paths } from '../../../src/paths.ts';
import { type Credentials, RegistryClient } from '../../../src/registry/client.ts';
import { MANIFEST_TYPE, makeImage } from '../../../src/registry/image.ts';
import { eventually, systemClock } from '../../../src/system/clock.ts';
import { generatePassword, hashPassword } from '../../../src/users/password.ts';
import { addUser } from '../../../src/users/users.ts';
import { Checkout } from '../../support/checkout.ts';
import { cpuSecondsOf } from '../resources.ts';
import { COSTS, FRONTS, type Front, frontsOf, portOf, SOCKETS, YES_PORT } from './fronts.ts';

const REPOSITORY = 'bench/auth';
const TAG = 'latest';
const STARTED = { within: 60_000, every: 50 };
const AT_REST = { within: 5 * 60_000, every: 500 };
/** Milliseconds: bcrypt rests for some seconds between two guesses. */
const LOOK = 5_000;
/** Seconds of a core, in that time: a single guess takes 0.25. */
const IDLE = 0.2;

/** A stack with all ways to its registry, an image in it, and a user who may pull it by each. */
export interface Stage {
  /** nginx on the bridge: nothing is published for this. */
  readonly host: string;
  readonly user: string;
  /** What wrk has to be told to pull as that user. */
  readonly script: string;
  readonly url: (front: Front) => string;
  /** Resolves when a single pull was answered: then whatever was begun there before has come to its end as well. */
  readonly pull: (front: Front) => Promise<void>;
  /** Resolves when the gate is at rest: guesses whose guesser is gone wait for their turn all the same. */
  readonly quiet: () => Promise<void>;
}

/** Sets everything up and takes it down after `work`. Addresses of attackers are what X-Forwarded-For says. */
export async function onStage<T>(work: (stage: Stage) => Promise<T>): Promise<T> {
  const checkout = await Checkout.make({ BEHIND_PROXY: 'true' });
  const extra: string[] = [];
  try {
    await checkout.init();
    const credentials = await makeUser(checkout);
    const registry = await containerOf(checkout, 'registry');
    const nginx = await containerOf(checkout, 'nginx');
    for (const cost of COSTS) extra.push(await startHtpasswd(checkout, registry, credentials, cost));
    extra.push(await startYes(checkout, nginx));
    await writeFile(join(checkout.root, 'nginx/user.d/bench.conf'), await frontsOf(checkout.root));
    await reload(checkout);
    return await work(await stageOf(checkout, nginx, credentials));
  } finally {
    if (extra.length > 0) await execa('docker', ['rm', '--force', ...extra]);
    await checkout.dispose();
  }
}

async function makeUser(checkout: Checkout): Promise<Credentials> {
  const [user, password] = ['bench', generatePassword()];
  await addUser(paths(checkout.root).usersFile, user, await hashPassword(password, 12));
  return { user, password };
}

/** distribution as AUTH=registry runs it, beside the one that the gate stands before: same image, data and settings. */
async function startHtpasswd(
  checkout: Checkout,
  registry: string,
  { user, password }: Credentials,
  cost: number,
): Promise<string> {
  const file = `bench-${cost}.password`;
  const line = `${user}:${await hashPassword(password, cost)}\n`;
  await writeFile(join(checkout.root, 'registry/auth', file), line, { mode: 0o600 });
  const settings = {
    REGISTRY_HTTP_ADDR: SOCKETS.htpasswd(cost),
    REGISTRY_HTTP_SECRET: 'bench',
    REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: '/var/lib/registry',
    REGISTRY_AUTH: 'htpasswd',
    REGISTRY_AUTH_HTPASSWD_REALM: 'bench',
    REGISTRY_AUTH_HTPASSWD_PATH: `/auth/${file}`,
    OTEL_TRACES_EXPORTER: 'none',
  };
  const environment = Object.entries(settings).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
  const name = `${checkout.project}-htpasswd-${cost}`;
  const users = `${join(checkout.root, 'registry/auth')}:/auth`;
  const place = ['--name', name, '--network', 'none', '--volumes-from', registry, '--volume', users];
  const command = ['--entrypoint', '/bin/sh', BUILT.registry, '-c'];
  const serve = 'umask 0; exec registry serve /etc/moorage/registry.yml';
  await execa('docker', ['run', '--detach', '--init', ...place, ...environment, ...command, serve]);
  return name;
}

async function startYes(checkout: Checkout, nginx: string): Promise<string> {
  const name = `${checkout.project}-yes`;
  const program = `${join(checkout.root, 'test/bench/auth/yes.mjs')}:/yes.mjs:ro`;
  const volumes = ['--volume', `${checkout.project}_gate-socket:/run/gate`, '--volume', program];
  const place = ['--name', name, '--network', `container:${nginx}`, ...volumes];
  const command = [BUILT.node, 'node', '/yes.mjs', SOCKETS.yes, String(YES_PORT)];
  await execa('docker', ['run', '--detach', '--init', ...place, ...command]);
  return name;
}

async function reload(checkout: Checkout): Promise<void> {
  for (const args of [
    ['-t', '-q'],
    ['-s', 'reload'],
  ]) {
    const { exitCode, stderr } = await checkout.compose('exec', '-T', 'nginx', 'nginx', ...args);
    if (exitCode !== 0) throw new Error(`nginx ${args.join(' ')}: ${stderr}`);
  }
}

async function stageOf(checkout: Checkout, nginx: string, credentials: Credentials): Promise<Stage> {
  const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}';
  const host = (await execa('docker', ['inspect', '--format', format, nginx])).stdout.trim();
  const client = (front: Front) =>
    new RegistryClient({ name: host, host, port: portOf(front), trust: { kind: 'plain' } }, credentials);

  for (const front of FRONTS) await reached(client(front), front);
  const { config, layer, manifest } = await makeImage('bench');
  const gate = client('the gate, cost 12');
  for (const blob of [config, layer]) await gate.pushBlob(REPOSITORY, blob);
  await gate.pushManifest(REPOSITORY, TAG, manifest);

  return {
    host,
    user: credentials.user,
    script: await writeScript(checkout, credentials),
    url: (front) => `http://${host}:${portOf(front)}/v2/${REPOSITORY}/manifests/${TAG}`,
    pull: async (front) => void (await client(front).pullManifest(REPOSITORY, TAG)),
    quiet: () => atRest(checkout),
  };
}

async function reached(client: RegistryClient, front: Front): Promise<void> {
  const answers = async () => ((await client.check().catch(() => 0)) === 200 ? true : undefined);
  if ((await eventually(systemClock, STARTED, answers)) === undefined)
    throw new Error(`${front}: it does not answer`);
}

async function atRest(checkout: Checkout): Promise<void> {
  const gate = await containerOf(checkout, 'gate');
  const used = () => cpuSecondsOf(gate, /^node /);
  const idle = async () => {
    const before = await used();
    await systemClock.sleep(LOOK);
    return (await used()) - before < IDLE ? true : undefined;
  };
  if ((await eventually(systemClock, AT_REST, idle)) === undefined)
    throw new Error('the gate does not come to rest');
}

async function writeScript(checkout: Checkout, { user, password }: Credentials): Promise<string> {
  const folder = join(checkout.root, 'var/test');
  await mkdir(folder, { recursive: true });
  const script = join(folder, 'pull.lua');
  const basic = Buffer.from(`${user}:${password.reveal()}`).toString('base64');
  const lines = [
    `wrk.headers["Authorization"] = "Basic ${basic}"`,
    `wrk.headers["Accept"] = "${MANIFEST_TYPE}"`,
  ];
  await writeFile(script, `${lines.join('\n')}\n`, { mode: 0o600 });
  return script;
}

async function containerOf(checkout: Checkout, part: string): Promise<string> {
  return (await checkout.compose('ps', '--quiet', part)).stdout.trim();
}
