import { PROOF_REPOSITORY } from '../access/prover.ts';
import type { Inventory, Manifest, Repository, Tag } from '../inventory/inventory.ts';
import { Family, isReadable, subjectOfTag } from './family.ts';
import { bytesOf, type Sizes, sizesOf } from './freed.ts';
import type { Remembered } from './pruned.ts';
import { judgeTags, type Reason } from './reasons.ts';
import { type Retention, type Rule, rulesFor } from './rules.ts';

export interface Plan {
  /** Those that a rule names, sorted by name. */
  readonly repositories: readonly RepositoryPlan[];
  /** What a collection frees once all that goes is given up: what nothing that stays needs, each blob once. */
  readonly bytes: number;
}

export interface RepositoryPlan {
  readonly name: string;
  readonly going: readonly GoingTag[];
  readonly staying: readonly StayingTag[];
  /** Manifests that no tag leads to, and nothing that stays needs. */
  readonly untagged: readonly GoingManifest[];
  /** All manifests that are given up, with a tag or for want of one. */
  readonly manifests: readonly Pick<GoingManifest, 'digest' | 'pushed'>[];
  /** Manifests that can't be read. Where there are any, all without a tag stays: one of them may need it. */
  readonly damaged: readonly string[];
}

export interface GoingManifest {
  readonly digest: string;
  readonly pushed: Date;
  /** What of it nothing that stays needs. Two that go may share it. */
  readonly bytes: number;
}

export interface GoingTag extends GoingManifest {
  readonly tag: string;
  /** The digest that it is about: it goes with that one. */
  readonly subject: string | undefined;
}

export interface StayingTag {
  readonly tag: string;
  readonly digest: string;
  readonly pushed: Date;
  /** All that keeps it, at least one. */
  readonly because: readonly Reason[];
}

export interface Circumstances {
  readonly now: Date;
  /** What was removed before and is not given up yet. */
  readonly remembered: readonly Remembered[];
  /** Whether access.yaml says that a tag stays what it is. */
  readonly immutable: (repository: string, tag: string) => boolean;
}

const DAY = 86_400_000;
/** Made and emptied by Moorage itself; a rule for `**` does not mean them. */
const OWN: readonly string[] = [PROOF_REPOSITORY, 'moorage/doctor'];

/** What the rules leave of a registry. Pure: nothing is removed, and the order of the input does not matter. */
export function planRetention(inventory: Inventory, retention: Retention, facts: Circumstances): Plan {
  const judged = inventory.repositories.map((repository) => {
    const rules = OWN.includes(repository.name) ? [] : rulesFor(retention, repository.name);
    const waiting = waitingIn(repository, facts.remembered);
    return { repository, waiting, outcome: judge(repository, rules, waiting, facts) };
  });
  const needed: Sizes = sizesOf(
    judged.flatMap(({ repository, waiting, outcome }) =>
      [...repository.manifests.values()].filter(
        ({ digest }) => outcome.stay.has(digest) || !(waiting.has(digest) || outcome.goes(digest)),
      ),
    ),
  );
  const repositories = judged
    .filter(({ outcome }) => outcome.named)
    .map(({ repository, outcome }) => describe(repository, outcome, needed))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
  const going = judged.flatMap(({ repository, outcome }) =>
    [...repository.manifests.values()].filter(({ digest }) => outcome.goes(digest)),
  );
  return { repositories, bytes: bytesOf(going, needed) };
}

interface Outcome {
  /** Whether any rule is about the repository. */
  readonly named: boolean;
  readonly family: Family;
  readonly going: readonly Tag[];
  readonly staying: readonly StayingTag[];
  readonly untagged: readonly Manifest[];
  /** Whether a manifest goes, with a tag or for want of one. */
  readonly goes: (digest: string) => boolean;
  readonly stay: ReadonlySet<string>;
}

function judge(
  repository: Repository,
  rules: readonly Rule[],
  waiting: ReadonlySet<string>,
  { now, immutable }: Circumstances,
): Outcome {
  const family = new Family(repository);
  if (rules.length === 0) {
    const none = { going: [], staying: [], untagged: [], stay: new Set<string>() };
    return { named: false, family, ...none, goes: () => false };
  }
  const { tags, manifests, damaged } = repository;
  const untaggedDays = Math.max(...rules.map((rule) => rule.untaggedDays));
  const isYoung = (pushed: Date) => now.getTime() - pushed.getTime() < untaggedDays * DAY;
  const kept = judgeTags(repository, rules, { now, immutable: (tag) => immutable(repository.name, tag) });
  const followers = tags.filter((tag) => !kept.has(tag) && subjectOfTag(tag.name) !== undefined);
  const going = tags.filter((tag) => !kept.has(tag) && subjectOfTag(tag.name) === undefined);

  // What goes takes its family with it, but for those that something else holds.
  const lost = family.of(going.map(({ digest }) => digest));
  const tagged = new Set(tags.map(({ digest }) => digest));
  const free = [...manifests.values()].filter(
    ({ digest }) => !tagged.has(digest) && !lost.has(digest) && !waiting.has(digest),
  );
  const isOrphan = ({ name }: Tag) => {
    const subject = subjectOfTag(name) ?? '';
    return !manifests.has(subject) && !damaged.includes(subject);
  };
  const young = [
    ...free.filter((manifest) => isYoung(manifest.pushed)),
    ...followers.filter((tag) => isOrphan(tag) && isYoung(tag.pushed)),
  ];
  const whole = damaged.length > 0 ? free : [];
  const stay = family.of([...kept.keys(), ...young, ...whole].map(({ digest }) => digest));

  const staying = [...kept].map(([tag, because]) => ({ ...described(tag), because }));
  for (const tag of followers) {
    const subject = subjectOfTag(tag.name) ?? '';
    if (stay.has(subject) || damaged.includes(subject))
      staying.push({ ...described(tag), because: [{ kind: 'follows', subject }] });
    else if (isOrphan(tag) && isYoung(tag.pushed))
      staying.push({ ...described(tag), because: [{ kind: 'young', days: untaggedDays }] });
    else going.push(tag);
  }
  const untagged = free.filter(({ digest }) => !stay.has(digest));
  const gone = family.of(going.map(({ digest }) => digest));
  for (const { digest } of untagged) gone.add(digest);
  return {
    named: true,
    family,
    going,
    staying,
    untagged,
    goes: (digest) => gone.has(digest) && !stay.has(digest) && !waiting.has(digest),
    stay,
  };
}

function describe(repository: Repository, outcome: Outcome, needed: Sizes): RepositoryPlan {
  const { name, manifests, damaged, tags } = repository;
  const { family, going, staying, untagged, stay } = outcome;
  const unique = (digest: string) => {
    const own = [...family.of([digest])].filter((each) => !stay.has(each));
    return bytesOf(
      own.flatMap((each) => manifests.get(each) ?? []),
      needed,
    );
  };
  const dangling = tags.filter((tag) => !isReadable(repository, tag)).map((tag) => `${tag.name} (tag)`);
  return {
    name,
    going: going
      .map((tag) => ({ ...described(tag), subject: subjectOfTag(tag.name), bytes: unique(tag.digest) }))
      .sort(byAge),
    staying: [...staying].sort(byAge),
    untagged: untagged.map(({ digest, pushed }) => ({ digest, pushed, bytes: unique(digest) })).sort(byAge),
    manifests: [...manifests.values()]
      .filter(({ digest }) => outcome.goes(digest))
      .map(({ digest, pushed }) => ({ digest, pushed }))
      .sort(byAge),
    damaged: [...damaged, ...dangling].sort(),
  };
}

/** What was given up before, unless a tag leads there now. What was pushed again since is judged anew. */
function waitingIn(repository: Repository, remembered: readonly Remembered[]): ReadonlySet<string> {
  const mine = remembered.filter((each) => each.repository === repository.name);
  if (mine.length === 0) return new Set();
  const held = new Family(repository).of(repository.tags.map(({ digest }) => digest));
  const given = mine.filter(({ digest, at }) => {
    const manifest = repository.manifests.get(digest);
    return manifest !== undefined && manifest.pushed <= at && !held.has(digest);
  });
  return new Set(given.map(({ digest }) => digest));
}

function described({ name: tag, digest, pushed }: Tag) {
  return { tag, digest, pushed };
}

/** The last pushed first; what was pushed at once, by name. */
function byAge(one: Named, other: Named): number {
  return other.pushed.getTime() - one.pushed.getTime() || (nameOf(one) < nameOf(other) ? -1 : 1);
}

interface Named {
  readonly pushed: Date;
  readonly digest: string;
  readonly tag?: string;
}

function nameOf({ tag, digest }: Named): string {
  return tag ?? digest;
}
