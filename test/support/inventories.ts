import { createHash } from 'node:crypto';
import type { Inventory, Manifest, Repository, Tag } from '../../src/inventory/inventory.ts';
import { type Retention, type Rule, repositoryGlob, tagGlob } from '../../src/retention/rules.ts';

export const NOW = new Date('2026-06-15T12:00:00Z');
const DAY = 86_400_000;

export function daysAgo(days: number): Date {
  return new Date(NOW.getTime() - days * DAY);
}

/** The digest that stands for a name. */
export function digest(name: string): string {
  return `sha256:${createHash('sha256').update(name).digest('hex')}`;
}

interface Written {
  readonly age?: number;
  /** Names of layers, each of 100 bytes. */
  readonly layers?: readonly string[];
  readonly children?: readonly string[];
  readonly subject?: string;
}

/**
 * A repository in short.
 * @param tags by name: the manifest, and how many days ago it was pushed
 * @param manifests by name; each has 10 bytes, and a layer of its own where none is given
 */
export function repository(
  name: string,
  tags: Readonly<Record<string, readonly [manifest: string, age: number]>>,
  manifests: Readonly<Record<string, Written>>,
  damaged: readonly string[] = [],
): Repository {
  return {
    name,
    tags: Object.entries(tags).map(
      ([tag, [manifest, age]]): Tag => ({ name: tag, digest: digest(manifest), pushed: daysAgo(age) }),
    ),
    manifests: new Map(
      Object.entries(manifests).map(([own, written]) => [digest(own), manifestOf(own, written)]),
    ),
    damaged: damaged.map(digest),
  };
}

export function inventory(...repositories: readonly Repository[]): Inventory {
  return { repositories };
}

/** A rule for every repository, unless it says for which. */
export function rule(parts: {
  repo?: string;
  last?: number;
  days?: number;
  keep?: readonly string[];
  untagged?: number;
}): Rule {
  return {
    name: 'rules:1',
    repositories: [expectGlob(repositoryGlob(parts.repo ?? '**'))],
    last: parts.last,
    days: parts.days,
    tags: (parts.keep ?? []).map((text) => expectGlob(tagGlob(text))),
    untaggedDays: parts.untagged ?? 7,
  };
}

export function retention(...rules: readonly Rule[]): Retention {
  return { rules, undoDays: 7 };
}

function manifestOf(name: string, { age = 100, layers, children = [], subject }: Written): Manifest {
  const own = layers ?? (children.length > 0 ? [] : [`layer of ${name}`]);
  return {
    digest: digest(name),
    mediaType: children.length > 0 ? 'index' : 'manifest',
    bytes: 10,
    pushed: daysAgo(age),
    blobs: own.map((layer) => ({ digest: digest(layer), bytes: 100 })),
    manifests: children.map((child) => ({ digest: digest(child), bytes: 10 })),
    subject: subject === undefined ? undefined : digest(subject),
  };
}

function expectGlob<T>(glob: T | string): T {
  if (typeof glob === 'string') throw new Error(glob);
  return glob;
}
