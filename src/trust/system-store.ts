import { join } from 'node:path';
import { Failure } from '../errors.ts';
import { PATH } from '../host/apt.ts';
import { changed, type Done, unchanged } from '../step.ts';
import { leadsSomewhere, readIfExists } from '../system/files.ts';
import { lastLines, type Run, saidBy } from '../system/processes.ts';
import { holds } from './authority.ts';
import { purposeOf, type TrustedRegistry, type TrustMachine } from './machine.ts';

/** How a distribution keeps the CAs that all its programs trust. Paths are below `/`. */
interface Store {
  /** One file a certificate. */
  readonly anchors: string;
  /** What is made of them. */
  readonly bundle: string;
  /** What there is where a distribution has this store. */
  readonly sign: string;
  readonly update: readonly [string, ...string[]];
  /** Also forgets what has gone. */
  readonly afresh: readonly [string, ...string[]];
}

const STORES: readonly Store[] = [
  // update-ca-trust(8): the RHEL family
  {
    anchors: 'etc/pki/ca-trust/source/anchors',
    bundle: 'etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
    sign: 'etc/pki/ca-trust/source/anchors',
    update: ['update-ca-trust', 'extract'],
    afresh: ['update-ca-trust', 'extract'],
  },
  // update-ca-certificates(8): Debian, Ubuntu, Alpine
  {
    anchors: 'usr/local/share/ca-certificates',
    bundle: 'etc/ssl/certs/ca-certificates.crt',
    sign: 'usr/sbin/update-ca-certificates',
    update: ['update-ca-certificates'],
    afresh: ['update-ca-certificates', '--fresh'],
  },
];

/**
 * Has all programs of this machine trust the CA that go by its store, such as curl and git. The bundle is what is looked
 * at, so that a run that was killed before it was made is finished.
 * @throws Failure `no-system-store`, `system-store-failed`, `foreign-file`, `root-needed`
 */
export async function ensureSystemStore(machine: TrustMachine, registry: TrustedRegistry): Promise<Done> {
  const { root, made, run } = machine;
  const store = await findStore(root);
  if (store === undefined)
    throw new Failure(
      'no-system-store',
      'This system keeps its CAs neither as Debian nor as the RHEL family does.',
      'Do it by its own means, with the file that `npm run trust -- --print` has in it; and leave out --system.',
    );
  const purpose = purposeOf(registry.id, 'system');
  const files = registry.ca.certificates.map((_, index) =>
    join(root, store.anchors, fileName(registry, index)),
  );
  let different = false;
  for (const [index, file] of files.entries())
    different = (await made.ensure(file, purpose, registry.ca.certificates[index] ?? '')) || different;
  const { gone } = await made.remove(purpose, { keep: ({ path }) => files.includes(path) });
  const bundle = join(root, store.bundle);
  if (!different && gone.length === 0 && holds(await readIfExists(bundle), registry.ca))
    return unchanged(`${bundle} has it`);
  await command(run, gone.length > 0 ? store.afresh : store.update);
  if (holds(await readIfExists(bundle), registry.ca))
    return changed(`${files.join(', ')}, and ${bundle} has it`);
  throw new Failure(
    'system-store-failed',
    `${store.update.join(' ')} has not put the CA into ${bundle}.`,
    'Look at what it says when it is run by hand.',
  );
}

/** After its files have gone. */
export async function refreshSystemStore({ root, run }: Pick<TrustMachine, 'root' | 'run'>): Promise<void> {
  const store = await findStore(root);
  if (store !== undefined) await command(run, store.afresh);
}

async function command(run: Run, [program, ...args]: Store['update']): Promise<void> {
  const { exitCode, stdout, stderr } = await run(program, args, { env: { PATH } });
  if (exitCode === 0) return;
  throw new Failure(
    'system-store-failed',
    `${program} failed: ${lastLines(saidBy({ stderr, stdout }))}`,
    'Fix what it reports, then run this again.',
  );
}

function fileName({ authorities: [first = ''] }: TrustedRegistry, index: number): string {
  const name = first.replaceAll(/[^A-Za-z0-9.-]+/g, '_').replace(/^_/, '');
  return `moorage-${name}${index === 0 ? '' : `-${index + 1}`}.crt`;
}

async function findStore(root: string): Promise<Store | undefined> {
  for (const store of STORES) {
    if (await leadsSomewhere(join(root, store.sign))) return store;
  }
  return undefined;
}
