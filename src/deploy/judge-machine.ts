import { coerce, lt } from 'semver';
import { PROGRAMS_FOLDER } from '../host/programs-here.ts';
import { LEAST_COMPOSE, LEAST_ENGINE } from '../host/versions.ts';
import { sizeInWords } from '../low-water.ts';
import { WITHOUT_PODMAN } from '../podman.ts';
import { judgeFolder } from './judge-folder.ts';
import type { Architecture, ClockFacts, MachineFacts, PortFacts, Space } from './machine-facts.ts';
import { planNode } from './node-plan.ts';
import { broken, type Verdict, warning } from './verdict.ts';

export interface Wanted {
  /** The setting IMAGES. */
  readonly images: 'auto' | 'pull' | 'build' | 'load';
  /** The setting BIND_ADDRESS: others may have the same port of other addresses. */
  readonly bindAddress: string | undefined;
  /** What the archive of images that it is to run on is for, as Docker calls it. */
  readonly archive?: string | undefined;
}

/** Docker's names. */
const ARCHITECTURES: Readonly<Record<Architecture, string>> = { x64: 'amd64', arm64: 'arm64' };

const MIB = 1024 ** 2;
const MINUTE = 60_000;

/** What the official Node, and with it everything here, is made for (BUILDING.md of Node 22). */
const LEAST_GLIBC = '2.28';
/** Resident, as measured: the engine 200 MiB, the stack 270, and 250 for init-tls with npm and Compose. */
const LEAST_MEMORY = 700 * MIB;
/** With less the page cache, by which images are served quickly, has nothing left. A machine sold with 1 GB has 960. */
const EASY_MEMORY = 900 * MIB;
/** Codes of tokens and dates of certificates are off by then, but not yet refused: clients allow some minutes. */
const CLOCK_WARNS = MINUTE;
const CLOCK_BREAKS = 10 * MINUTE;

/** What a first deployment takes, in bytes. */
const FIRST = {
  /** The project with its packages (300 MiB), twice while a new one replaces it. */
  folder: 600 * MIB,
  pulled: 1500 * MIB,
  /** Images from Debian packages are some 1,000 MiB, and as much lies beside them while they are built. */
  built: 2000 * MIB,
  /** Docker's packages, and those of rsync and Node. */
  programs: 800 * MIB,
} as const;
/** What is there already is only replaced. */
const AGAIN = 400 * MIB;

/** What stands against a registry on this machine. Nothing where it is fit. */
export function judgeMachine(facts: MachineFacts, wanted: Wanted): Verdict[] {
  const system = judgeSystem(facts, wanted);
  if (system.some(({ kind }) => kind === 'broken')) return system;
  return [
    ...system,
    ...judgeMemory(facts),
    ...judgeSpace(facts, wanted),
    ...facts.ports.flatMap((port) => judgePort(port, wanted)),
    ...judgeClock(facts.clock),
    ...judgeFolder(facts.folder),
    ...judgeEngine(facts.engine),
    ...judgeNode(facts),
  ];
}

function judgeSystem({ distribution, system, machine, architecture, libc }: MachineFacts, wanted: Wanted) {
  if (libc.kind === 'musl')
    return [broken(`${system} has musl as its C library; Docker's and Node's programs want glibc`, OTHER)];
  if (architecture === undefined)
    return [broken(`its processor is ${machine}; there are images and Node for x86_64 and aarch64`, OTHER)];
  if (wanted.archive !== undefined && wanted.archive !== ARCHITECTURES[architecture])
    return [
      broken(
        `its processor is ${machine}, and the images of the archive are for ${wanted.archive}`,
        'Save them on a machine with such a processor: npm run images -- save FILE',
      ),
    ];
  if (libc.kind === 'glibc' && older(libc.version, LEAST_GLIBC))
    return [broken(`${system} is too old: glibc ${libc.version}; it takes ${LEAST_GLIBC}`, OTHER)];
  if (distribution.family === 'other')
    return [broken(`${system} is none of the systems that programs can be installed on`, OTHER)];
  if (distribution.family === 'redhat' && wanted.images === 'build')
    return [
      broken(
        `IMAGES=build needs debootstrap, which ${system} does not have`,
        'Set IMAGES=pull; or IMAGES=load with an archive made by `npm run images -- save` (docs/air-gap.md).',
      ),
    ];
  return [];
}

const OTHER =
  'Take a machine with Debian 11, Ubuntu 20.04, RHEL 8 (or CentOS, Rocky, AlmaLinux) or Fedora, or newer.';

function judgeMemory({ memory, swap }: MachineFacts): Verdict[] {
  const told = `${sizeInWords(memory)} of memory${swap === 0 ? '' : ` and ${sizeInWords(swap)} of swap`}`;
  const why = `the engine, the stack and init-tls together take ${sizeInWords(LEAST_MEMORY)}`;
  if (memory + swap < LEAST_MEMORY)
    return [broken(`it has ${told}; ${why}`, 'Give it more memory, or swap (fallocate, mkswap, swapon).')];
  if (memory < EASY_MEMORY)
    return [warning(`it has ${told}; ${why}, and little is left`, 'Give it 1 GiB or more.')];
  return [];
}

/** What is needed is added up for each file system. */
function judgeSpace(facts: MachineFacts, wanted: Wanted): Verdict[] {
  const { space, folder } = facts;
  const here = folder.content.kind === 'moorage';
  const images = wanted.images === 'build' || wanted.images === 'auto' ? FIRST.built : FIRST.pulled;
  const needs: readonly { place: string; at: Space; bytes: number }[] = [
    { place: folder.path, at: space.folder, bytes: here ? AGAIN : FIRST.folder },
    { place: '/var/lib/docker', at: space.docker, bytes: here ? AGAIN : images },
    ...(facts.engine.version === undefined
      ? [{ place: '/usr', at: space.programs, bytes: FIRST.programs }]
      : []),
  ];
  const fileSystems = [...new Set(needs.map(({ at }) => at.fileSystem))];
  return fileSystems.flatMap((fileSystem) => {
    const sharing = needs.filter(({ at }) => at.fileSystem === fileSystem);
    const free = sharing[0]?.at.free ?? 0;
    const needed = sharing.reduce((sum, { bytes }) => sum + bytes, 0);
    if (free >= needed) return [];
    const places = new Intl.ListFormat('en-GB').format(sharing.map(({ place }) => place));
    return [
      broken(
        `only ${sizeInWords(free)} free on the disk of ${places}; it takes ${sizeInWords(needed)}`,
        'Free space there, or put the project (--dir) or Docker’s data-root on a larger disk.',
      ),
    ];
  });
}

function judgePort({ port, holder }: PortFacts, { bindAddress }: Wanted): Verdict[] {
  if (holder.kind === 'nobody' || holder.kind === 'ours') return [];
  const who = holder.kind === 'container' ? `the container ${holder.name}` : holder.name;
  const remedy = 'Stop it there, or set HTTP_PORT and HTTPS_PORT to free ones.';
  const what = `port ${port} is taken by ${who}`;
  return [bindAddress === undefined ? broken(what, remedy) : warning(what, remedy)];
}

function judgeClock({ ahead, uncertainty }: ClockFacts): Verdict[] {
  const surely = Math.abs(ahead) - uncertainty;
  if (surely <= CLOCK_WARNS) return [];
  const minutes = Math.round(Math.abs(ahead) / MINUTE);
  const told =
    Math.abs(ahead) < 2 * MINUTE ? `${Math.round(Math.abs(ahead) / 1000)} seconds` : `${minutes} minutes`;
  const what = `its clock is ${told} ${ahead > 0 ? 'ahead of' : 'behind'} this machine’s; certificates go by it`;
  const remedy = 'Set whichever is wrong: timedatectl set-ntp true';
  return [surely > CLOCK_BREAKS ? broken(what, remedy) : warning(what, remedy)];
}

function judgeEngine({ version, compose, podman }: MachineFacts['engine']): Verdict[] {
  if (podman !== undefined) return [broken(`what is Docker there is Podman ${podman}`, WITHOUT_PODMAN)];
  const found: Verdict[] = [];
  if (version !== undefined && older(version.replace(/\b0+(?=\d)/g, ''), LEAST_ENGINE))
    found.push(broken(`its Docker ${version} is older than ${LEAST_ENGINE}`, 'Update the engine there.'));
  if (compose !== undefined && Number(coerce(compose)?.major ?? 2) >= 2 && older(compose, LEAST_COMPOSE))
    found.push(broken(`its Compose ${compose} is older than ${LEAST_COMPOSE}`, 'Update Compose there.'));
  return found;
}

function judgeNode(facts: MachineFacts): Verdict[] {
  const { node, inTheWay } = planNode(facts);
  const { present } = facts.node;
  const there = present === undefined ? 'there is no Node' : `Node is ${present.version}`;
  if (inTheWay.length > 0)
    return [
      broken(
        `${there}, and ${inTheWay.join(' and ')}, where ours would be linked, is somebody else’s`,
        'Install Node 20.12 or newer with npm there, or remove what stands in the way.',
      ),
    ];
  if (node !== 'carried' || present === undefined || present.path.startsWith(`${PROGRAMS_FOLDER}/`))
    return [];
  return [
    warning(
      `its Node ${present.version} (${present.path}) is too old; ours is linked in /usr/local/bin, which comes first`,
      'Nothing, unless something there needs the older one under the name `node` alone.',
    ),
  ];
}

/** @param version as distributions write them: `20.10.24+dfsg1`, `2.36` */
function older(version: string, least: string): boolean {
  const [plain, other] = [coerce(version), coerce(least)];
  return plain !== null && other !== null && lt(plain, other);
}
