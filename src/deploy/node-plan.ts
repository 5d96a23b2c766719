import { coerce, gte } from 'semver';
import type { Distribution } from '../host/distribution.ts';
import { PROGRAMS_FOLDER } from '../host/programs-here.ts';
import { LEAST_NODE } from '../host/versions.ts';
import type { MachineFacts, NodeFacts } from './machine-facts.ts';
import { CARRIED_VERSIONS } from './pinned.ts';

/** Where Node and npm come from: they are there, the system's own packages have them, or they are copied from here. */
export interface NodePlan {
  readonly node: Origin;
  readonly npm: Origin;
  /** What somebody else has where ours would have to be linked. With any of these nothing can be done. */
  readonly inTheWay: readonly string[];
}

/** The first that Node 22 comes with; a system's own may be that of an older Node. */
const LEAST_NPM = 10;

type Origin = 'there' | 'packages' | 'carried';

/** An older Node that somebody installed is theirs: it is neither changed nor removed, ours stands beside it. */
export function planNode(facts: Pick<MachineFacts, 'node' | 'distribution'>): NodePlan {
  const { node, distribution } = facts;
  const foreign = node.present !== undefined && !isOurs(node);
  const fromPackages = !foreign && !isOurs(node) && packagesHaveIt(node.candidate, distribution);
  const origin = isFit(node) ? 'there' : fromPackages ? 'packages' : 'carried';
  const npm = npmOrigin(node, origin, distribution);
  const needed = [
    ...(origin === 'there' ? [] : ['/usr/local/bin/node']),
    ...(npm === 'there' ? [] : ['/usr/local/bin/npm']),
  ];
  return { node: origin, npm, inTheWay: needed.filter((name) => node.taken.includes(name)) };
}

function isFit(node: NodeFacts): boolean {
  if (isOurs(node)) return node.present?.version === `v${CARRIED_VERSIONS.node}`;
  return node.present !== undefined && isEnough(node.present.version);
}

/** Debian's own npm is some 300 packages, and 9.2: npm is carried there. */
function npmOrigin(node: NodeFacts, origin: Origin, { family }: Distribution): Origin {
  const fits = node.npm !== undefined && (!isOurs(node) || Number.parseInt(node.npm, 10) >= LEAST_NPM);
  if (origin !== 'carried' && fits) return 'there';
  return origin === 'packages' && family === 'redhat' ? 'packages' : 'carried';
}

function isOurs({ present }: NodeFacts): boolean {
  return present?.path.startsWith(`${PROGRAMS_FOLDER}/`) ?? false;
}

/** By what apt says; before it has fetched anything, and for dnf, by what is known of the release. */
function packagesHaveIt(candidate: string | undefined, { id, version, family }: Distribution): boolean {
  if (candidate !== undefined) return isEnough(candidate.replace(/^\d+:/, ''));
  const release = Number.parseFloat(version);
  switch (family) {
    case 'debian':
      return (id === 'debian' && release >= 13) || (id === 'ubuntu' && release >= 25);
    case 'redhat':
      return id === 'fedora' ? release >= 40 : release >= 8;
    case 'other':
      return false;
  }
}

function isEnough(version: string): boolean {
  const plain = coerce(version);
  return plain !== null && gte(plain, LEAST_NODE);
}
