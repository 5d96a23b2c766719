import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../errors.ts';
import type { Run } from '../system/processes.ts';
import type { UnitFacts } from './unit.ts';

export interface UnitWishes {
  readonly project: string;
  readonly checkout: string;
  /** Its owner is who the daemon runs as. */
  readonly state: string;
  readonly node: string;
  /** The engine's socket on this machine, if it has one, and whether the daemon needs it. */
  readonly socket: string | undefined;
  readonly needsEngine: boolean;
  /** Other files that the settings name. */
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Looks up who owns what.
 * @throws Failure `not-set-up`, `mixed-owners`, `nameless-owner`, `engine-unreachable`
 */
export async function gatherUnitFacts(run: Run, wishes: UnitWishes): Promise<UnitFacts> {
  const { project, checkout, state, node, socket, needsEngine, reads, writes, environment } = wishes;
  const owner = await stat(state).catch(() => undefined);
  if (owner === undefined) {
    throw new Failure('not-set-up', `${state} is not there yet.`, 'Run `npm run init-tls` first.');
  }
  await expectOneOwner(state, owner);
  const user = await nameOf(run, 'passwd', owner.uid, state);
  const sockets = socket === undefined ? [] : [socket];
  const needsGroup = needsEngine && socket !== undefined && owner.uid !== 0;
  return {
    project,
    checkout,
    user,
    group: await nameOf(run, 'group', owner.gid, state),
    engineGroup: needsGroup ? await socketGroup(run, socket) : undefined,
    node,
    reads: await real(needsEngine ? [...reads, ...sockets] : reads),
    writes: await real(writes),
    hidden: needsEngine ? [] : await real(sockets), // the owner's own groups would let it in
    environment,
  };
}

function real(paths: readonly string[]): Promise<string[]> {
  return Promise.all(paths.map((path) => realpath(path).catch(() => path)));
}

/** Locks are anybody's for a moment; the gate goes on writing as whom it was started. */
const OF_OTHERS = /^(locks|gate)\//;

/** Without capabilities not even root gets at what belongs to somebody else. */
async function expectOneOwner(state: string, owner: { uid: number; gid: number }): Promise<void> {
  for (const name of ['.', ...(await readdir(state, { recursive: true }))]) {
    const facts = await lstat(join(state, name)).catch(() => undefined); // it may be gone by now
    if (facts === undefined || facts.uid === owner.uid || OF_OTHERS.test(name)) continue;
    throw new Failure(
      'mixed-owners',
      `${state} belongs to user ${owner.uid}, but ${name} in it to user ${facts.uid}.`,
      `Give all of it to one: sudo chown -R ${owner.uid}:${owner.gid} ${JSON.stringify(state)}`,
    );
  }
}

async function socketGroup(run: Run, socket: string): Promise<string> {
  const facts = await stat(socket).catch(() => undefined);
  if (facts !== undefined) return nameOf(run, 'group', facts.gid, socket);
  throw new Failure(
    'engine-unreachable',
    `There is no socket of an engine at ${socket}.`,
    'Start it (sudo systemctl start docker), then run this again.',
  );
}

/** systemd runs nothing as a number that has no name. Names are used as far as it takes them (User/Group Name Syntax). */
async function nameOf(run: Run, database: 'passwd' | 'group', id: number, path: string): Promise<string> {
  const { exitCode, stdout } = await run('getent', [database, String(id)]);
  const [name = ''] = stdout.split(':');
  if (exitCode === 0) return /^[a-zA-Z_][\w-]{0,30}$/.test(name) ? name : String(id);
  throw new Failure(
    'nameless-owner',
    `${path} belongs to the ${database === 'group' ? 'group' : 'user'} ${id}, which this machine does not know.`,
    'Give it to one that has a name (sudo chown), then run this again.',
  );
}
