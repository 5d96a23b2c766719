import { z } from 'zod';
import { distributionOf } from '../host/distribution.ts';
import type { Architecture, ClockFacts, FolderFacts, MachineFacts, PortFacts } from './machine-facts.ts';

const FIRST_LINE = 'moorage machine 1';
const KIB = 1024;

/** uname(2) calls them otherwise. Others have no official Node. */
const ARCHITECTURES: Readonly<Record<string, Architecture>> = { x86_64: 'x64', aarch64: 'arm64' };

const one = z.tuple([z.string()]).transform(([value]) => value);
const number = one.pipe(z.string().regex(/^\d+$/).transform(Number));
const seconds = one.pipe(
  z
    .string()
    .regex(/^\d+(\.\d+)?$/)
    .transform(Number),
);
const space = one.pipe(
  z
    .string()
    .regex(/^\S+ \d+$/)
    .transform((said) => {
      const [fileSystem = '', free = ''] = said.split(' ');
      return { fileSystem, free: Number(free) };
    }),
);
const port = z.string().regex(/^\d+$/).transform(Number);
const filled = one.transform((value) => (value === '' ? undefined : value));
const several = z.array(z.string()).default([]);
const yes = z
  .tuple([z.literal('yes')])
  .transform(() => true)
  .default(false);

/** Every name that machine.sh may tell; any other is a sign of damage. */
const answer = z
  .strictObject({
    began: seconds,
    ended: seconds,
    /** The last line. */
    complete: z.tuple([z.literal('yes')]),
    id: one,
    like: one,
    version: one,
    codename: one,
    name: one,
    machine: one.pipe(z.string().min(1)),
    libc: one,
    systemd: yes,
    rsync: yes,
    memory: number,
    swap: number,
    space_folder: space,
    space_docker: space,
    space_programs: space,
    node_path: filled.optional(),
    node_version: filled.optional(),
    npm_version: filled.optional(),
    node_candidate: filled.optional(),
    taken: several,
    dockerd: filled.optional(),
    engine: filled.optional(),
    compose: filled.optional(),
    podman: filled.optional(),
    port: z.array(port),
    blocked: filled.optional(),
    read_only: filled.optional(),
    unmounted: several,
    there: yes,
    copying: yes,
    moorage: one.optional(),
    uncommitted: several,
    git_failed: one.optional(),
    entry: several,
  })
  .readonly();

type Answer = z.infer<typeof answer>;

/** Who has a port is told under a name of its own for each: `listener_443`. */
const HOLDER = /^(container|listener)_\d+$/;

interface Asked {
  readonly folder: string;
  /** When, by our clock. */
  readonly asked: number;
  readonly answered: number;
}

/** What machine.sh told; `undefined` where anything of it is missing, doubled or not understood. */
export function understood(stdout: string, when: Asked): MachineFacts | undefined {
  const lines = stdout.trimEnd().split('\n');
  const first = lines.indexOf(FIRST_LINE); // a login may greet before it
  if (first < 0) return undefined;
  const told: Record<string, string[]> = {};
  const holders = new Map<string, string>();
  for (const line of lines.slice(first + 1)) {
    const [, name, value] = /^([a-z_]+(?:_\d+)?)=(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) return undefined;
    if (HOLDER.test(name)) holders.set(name, value);
    else told[name] = [...(told[name] ?? []), value];
  }
  const { data } = answer.safeParse(told);
  return data && factsOf(data, holders, when);
}

function factsOf(told: Answer, holders: ReadonlyMap<string, string>, when: Asked): MachineFacts {
  return {
    distribution: distributionOf({
      ID: told.id,
      ID_LIKE: told.like,
      VERSION_ID: told.version,
      VERSION_CODENAME: told.codename,
    }),
    system: told.name === '' ? told.id || 'unknown' : told.name,
    machine: told.machine,
    architecture: ARCHITECTURES[told.machine],
    libc: libcOf(told.libc),
    systemd: told.systemd,
    memory: told.memory * KIB,
    swap: told.swap * KIB,
    space: { folder: told.space_folder, docker: told.space_docker, programs: told.space_programs },
    ports: told.port.map((each) => portFacts(each, holders, when.folder)),
    clock: clockFacts(told, when),
    engine: { version: told.engine, dockerd: told.dockerd, compose: told.compose, podman: told.podman },
    node: {
      present:
        told.node_path === undefined || told.node_version === undefined
          ? undefined
          : { path: told.node_path, version: told.node_version },
      npm: told.npm_version,
      candidate: told.node_candidate === '(none)' ? undefined : told.node_candidate,
      taken: told.taken,
    },
    rsync: told.rsync,
    folder: folderFacts(told, when.folder),
  };
}

function libcOf(said: string): MachineFacts['libc'] {
  const version = /^glibc (\d+\.\d+)/.exec(said)?.[1];
  if (version !== undefined) return { kind: 'glibc', version };
  return said === 'musl' ? { kind: 'musl' } : { kind: 'unknown' };
}

function portFacts(port: number, holders: ReadonlyMap<string, string>, folder: string): PortFacts {
  const container = holders.get(`container_${port}`);
  if (container !== undefined) {
    const [name = ''] = container.split(' ', 1);
    const project = container.slice(name.length + 1).replace(/\/$/, '');
    return {
      port,
      holder: project === folder.replace(/\/$/, '') ? { kind: 'ours' } : { kind: 'container', name },
    };
  }
  const listener = holders.get(`listener_${port}`);
  if (listener === undefined) return { port, holder: { kind: 'nobody' } };
  const [process = '0', ...name] = listener.split(' ');
  const words = process === '0' ? 'a program that is not seen' : `${name.join(' ')} (process ${process})`;
  return { port, holder: { kind: 'program', name: words } };
}

/** As NTP reckons, from four times: asked, begun, ended, answered (RFC 5905 section 8). */
function clockFacts({ began, ended }: Answer, { asked, answered }: Asked): ClockFacts {
  const [there, back] = [began * 1000 - asked, ended * 1000 - answered];
  return { ahead: Math.round((there + back) / 2), uncertainty: Math.round(Math.abs(there - back) / 2) };
}

function folderFacts(told: Answer, path: string): FolderFacts {
  return {
    path,
    content: contentOf(told),
    uncommitted: told.uncommitted,
    gitFailed: told.git_failed,
    blocked: told.blocked,
    readOnly: told.read_only !== undefined,
    unmounted: told.unmounted[0],
  };
}

function contentOf({ there, copying, moorage, entry }: Answer): FolderFacts['content'] {
  if (copying) return { kind: 'half-copied' };
  if (moorage !== undefined) return { kind: 'moorage', version: moorage };
  if (!there || entry.length === 0) return { kind: 'nothing' };
  return { kind: 'foreign', names: entry };
}
