import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { paths } from '../../../src/paths.ts';
import { type Credentials, RegistryClient, type Trust } from '../../../src/registry/client.ts';
import { makeImage } from '../../../src/registry/image.ts';
import { eventually, systemClock } from '../../../src/system/clock.ts';
import { generatePassword, hashPassword } from '../../../src/users/password.ts';
import { addUser } from '../../../src/users/users.ts';
import { Checkout } from '../../support/checkout.ts';
import { pidsOf } from '../resources.ts';
import type { Progress } from '../result.ts';
import { type Contents, makeContents, namedFor, type Sizes } from './files.ts';
import { FRONTS, type Front, LIMIT, MOORAGE, NAME, PARTS, SERVICES, urlOf } from './fronts.ts';
import { buildImages } from './images.ts';
import { FILES, type Load, startLoad } from './load.ts';
import { type Peers, startPeers } from './peers.ts';
import { expectMachine } from './preconditions.ts';

const REPOSITORY = 'bench/data';
export const MANIFEST = `/v2/${REPOSITORY}/manifests/latest`;
/** A container's own checks of its health come and go. */
const SERVERS = /^(nginx: |registry serve|caddy run|node )/;
const STARTED = { within: 60_000, every: 100 };

/** A registry that is measured. */
export interface Standing {
  readonly front: Front;
  readonly load: Load;
  /** distribution's root directory, as this machine has it. */
  readonly storage: string;
  /** All processes that a request may need. */
  readonly pids: readonly string[];
}

export interface Stage {
  readonly contents: Contents;
  readonly standing: readonly Standing[];
}

/** What all have in common. */
interface Scene {
  readonly folder: string;
  readonly checkout: Checkout;
  readonly peers: Peers;
  readonly contents: Contents;
  /** PEM of the CA. */
  readonly authority: string;
  readonly credentials: Credentials;
}

/** Sets everything up on one disk and takes it down after `work`, however that ends. */
export async function onStage<T>(
  sizes: Sizes,
  report: Progress,
  work: (stage: Stage) => Promise<T>,
): Promise<T> {
  await buildImages();
  const checkout = await Checkout.make({ DOMAIN: NAME, TLS_ISSUER: 'local' });
  const cleanup = [() => checkout.dispose()];
  try {
    const folder = join(checkout.root, 'var/test');
    await mkdir(join(folder, 'files'), { recursive: true });
    await expectMachine(folder, sizes);
    report('setting up Moorage');
    const { authority } = await checkout.init();
    const credentials = await makeUser(checkout);
    report('setting up the others');
    const peers = await startPeers(
      projectOf(checkout),
      join(folder, 'peers'),
      await copyCertificate(checkout),
    );
    cleanup.push(peers.dispose);
    report('making random content');
    const contents = await makeContents(join(folder, 'files'), sizes);

    const pem = await readFile(authority ?? '', 'utf8');
    const scene: Scene = { folder, checkout, peers, contents, authority: pem, credentials };
    const standing: Standing[] = [];
    for (const front of FRONTS) {
      report(`reaching: ${front}`);
      const stands = await stand(front, scene);
      cleanup.push(stands.load.dispose);
      await answers(front, scene);
      standing.push(stands);
    }
    for (const { front, load } of standing.filter((each) => [LIMIT, MOORAGE].includes(each.front))) {
      report(`pushing what will be pulled: ${front}`);
      await fill(front, load, scene);
    }
    return await work({ contents, standing });
  } finally {
    for (const each of cleanup.reverse()) await each();
  }
}

function projectOf(checkout: Checkout): string {
  return checkout.project.replace('moorage-test', 'bench-data');
}

async function makeUser(checkout: Checkout): Promise<Credentials> {
  const [user, password] = ['bench', generatePassword()];
  await addUser(paths(checkout.root).usersFile, user, await hashPassword(password));
  return { user, password };
}

/** Moorage's own, for all. Links to it lead out of what a container would see. */
async function copyCertificate(checkout: Checkout): Promise<string> {
  const folder = join(checkout.root, 'var/test/tls');
  await mkdir(folder);
  for (const file of ['fullchain.pem', 'privkey.pem'])
    await copyFile(join(paths(checkout.root).certificates, 'current', file), join(folder, file));
  return folder;
}

async function stand(front: Front, scene: Scene): Promise<Standing> {
  const { checkout, peers, contents, folder, authority, credentials } = scene;
  const containers = await containersOf(front, scene);
  const each = await Promise.all(containers.map((container) => pidsOf(container, SERVERS)));
  if (each.some(({ length }) => length === 0))
    throw new Error(`${front}: a container has none of ${SERVERS}`);
  const blob = (digest: string) => `/v2/${REPOSITORY}/blobs/${digest}`;
  const number = FRONTS.indexOf(front);
  const load = await startLoad({
    name: `${projectOf(checkout)}-load-${number}`,
    ...(await addressOf(front, scene)),
    folder: join(folder, `load-${number}`),
    files: join(folder, 'files'),
    authority,
    login: front === MOORAGE ? credentials : undefined,
    lists: {
      large: [blob(contents.large.digest)],
      small: contents.small.map(({ digest }) => blob(digest)),
      manifest: [MANIFEST],
    },
  });
  const storage = front === MOORAGE ? join(checkout.root, 'registry/data') : peers.storage;
  return { front, load, storage, pids: each.flat() };
}

async function containersOf(front: Front, { checkout, peers }: Scene): Promise<string[]> {
  if (front !== MOORAGE) return Promise.all(SERVICES[front].map(peers.container));
  const ofPart = async (part: string) => (await checkout.compose('ps', '--quiet', part)).stdout.trim();
  return Promise.all(PARTS.map(ofPart));
}

async function addressOf(front: Front, scene: Scene): Promise<{ network: string; address: string }> {
  const [container = ''] = await containersOf(front, scene);
  const format = '{{range $name, $net := .NetworkSettings.Networks}}{{$name}} {{$net.IPAddress}} {{end}}';
  const { stdout } = await execa('docker', ['inspect', '--format', format, container]);
  const [network = '', address = ''] = stdout.split(' ');
  return { network, address };
}

async function answers(front: Front, scene: Scene): Promise<void> {
  const client = await clientOf(front, scene);
  const fine = async () => ((await client.check().catch(() => 0)) === 200 ? true : undefined);
  if ((await eventually(systemClock, STARTED, fine)) === undefined)
    throw new Error(`${front}: it does not answer`);
}

async function fill(front: Front, load: Load, scene: Scene): Promise<void> {
  const { large, small } = scene.contents;
  const push = (some: Contents['small']) =>
    load.run('sh', 'push.sh', urlOf(front).origin, REPOSITORY, ...namedFor(FILES, some));
  await push([large]);
  for (let from = 0; from < small.length; from += 10) await push(small.slice(from, from + 10));
  const client = await clientOf(front, scene);
  const { config, layer, manifest } = await makeImage('bench');
  for (const blob of [config, layer]) await client.pushBlob(REPOSITORY, blob);
  await client.pushManifest(REPOSITORY, 'latest', manifest);
}

async function clientOf(front: Front, scene: Scene): Promise<RegistryClient> {
  const { address: host } = await addressOf(front, scene);
  const url = urlOf(front);
  const trust: Trust = front === LIMIT ? { kind: 'plain' } : { kind: 'authority', pem: scene.authority };
  const port = Number(url.port || 443);
  return new RegistryClient(
    { name: NAME, host, port, trust },
    front === MOORAGE ? scene.credentials : undefined,
  );
}
