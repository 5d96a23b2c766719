import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  daysAgo,
  digest,
  inventory,
  NOW,
  repository,
  retention,
  rule,
} from '../../test/support/inventories.ts';
import type { Inventory, Repository } from '../inventory/inventory.ts';
import { expired } from './expired.ts';
import { subjectOfTag } from './family.ts';
import { type Plan, planRetention } from './plan.ts';
import type { Remembered } from './pruned.ts';

const names = ['m0', 'm1', 'm2', 'm3', 'm4', 'm5', 'm6'] as const;
const tagNames = [
  'v1',
  'v2',
  'latest',
  'dev',
  ...names.slice(0, 3).flatMap((name) => {
    const tag = digest(name).replace(':', '-');
    return [tag, `${tag}.sig`];
  }),
];
const age = fc.integer({ min: 0, max: 60 });

/** An index has manifests with higher numbers: digests allow no circles. */
const manifests = fc
  .tuple(
    ...names.map((name, index) =>
      fc.record({
        name: fc.constant(name),
        there: fc.boolean(),
        age,
        children: fc.subarray(names.slice(index + 1)),
        subject: fc.option(fc.constantFrom(...names.slice(index + 1), 'missing'), { nil: undefined }),
        layers: fc.subarray(['l0', 'l1', 'l2']),
      }),
    ),
  )
  .map((all) => all.filter(({ there }) => there));

const repositories = (name: string) =>
  fc
    .tuple(manifests, fc.array(fc.tuple(fc.constantFrom(...tagNames), fc.nat(), age)))
    .map(([all, tags]) =>
      repository(
        name,
        Object.fromEntries(
          tags.map(([tag, pick, at]) => [tag, [all[pick % Math.max(1, all.length)]?.name ?? 'lost', at]]),
        ),
        Object.fromEntries(
          all.map(({ name: own, age, children, subject, layers }) => [
            own,
            { age, children, layers, ...(subject === undefined ? {} : { subject }) },
          ]),
        ),
      ),
    );

const registries = fc.tuple(repositories('one'), repositories('two')).map((all) => inventory(...all));

const retentions = fc
  .array(
    fc
      .record({
        repo: fc.constantFrom('**', 'one', 'two'),
        last: fc.integer({ min: 1, max: 3 }),
        keep: fc.subarray(['v*', 'latest', '*.sig']),
        untagged: fc.integer({ min: 0, max: 30 }),
      })
      .map(rule),
    { minLength: 1, maxLength: 2 },
  )
  .map((rules) => retention(...rules));

const facts = { now: NOW, remembered: [], immutable: () => false };

/** The registry as it is when the plan has been carried out. */
function carriedOut({ repositories: all }: Inventory, plan: Plan): Inventory {
  return inventory(
    ...all.map((each): Repository => {
      const gone =
        plan.repositories.find(({ name }) => name === each.name)?.going.map(({ tag }) => tag) ?? [];
      return { ...each, tags: each.tags.filter(({ name }) => !gone.includes(name)) };
    }),
  );
}

function memoryOf({ repositories: all }: Plan, until: Date): Remembered[] {
  const common = { run: '1', at: NOW, until };
  return all.flatMap(({ name, going, manifests: given }) => [
    ...going.map(({ tag, digest, pushed }) => ({ ...common, repository: name, tag, digest, pushed })),
    ...given.map(({ digest, pushed }) => ({ ...common, repository: name, digest, pushed })),
  ]);
}

/** All that a tag needs, spelled out apart from the code: children, and what is about any of it. */
function needs({ manifests: all, tags }: Repository, root: string): Set<string> {
  const found = new Set([root]);
  for (let size = 0; size !== found.size; ) {
    size = found.size;
    for (const { digest, manifests: children, subject } of all.values()) {
      if (found.has(digest)) for (const child of children) found.add(child.digest);
      if (subject !== undefined && found.has(subject) && all.has(subject)) found.add(digest);
    }
    for (const { name, digest } of tags) {
      const about = subjectOfTag(name);
      if (about !== undefined && found.has(about) && all.has(about)) found.add(digest);
    }
  }
  return found;
}

test('nothing that a kept tag needs is ever given up, whatever the order of the input', () => {
  fc.assert(
    fc.property(registries, retentions, (found, rules) => {
      const plan = planRetention(found, rules, facts);
      const after = carriedOut(found, plan);
      const { manifests: gone } = expired(after, memoryOf(plan, NOW), { now: NOW });
      for (const each of after.repositories) {
        const lost = gone.filter(({ repository: name }) => name === each.name).map(({ digest }) => digest);
        for (const tag of each.tags)
          expect(lost.filter((digest) => needs(each, tag.digest).has(digest))).toEqual([]);
      }
      const reversed = inventory(
        ...found.repositories.toReversed().map((each) => ({
          ...each,
          tags: each.tags.toReversed(),
          manifests: new Map([...each.manifests].reverse()),
        })),
      );
      expect(planRetention(reversed, rules, facts)).toEqual(plan);
    }),
    { numRuns: 100 },
  );
});

test('a plan that was carried out and is made again is empty', () => {
  fc.assert(
    fc.property(registries, retentions, (found, rules) => {
      const plan = planRetention(found, rules, facts);
      const remembered = memoryOf(plan, daysAgo(-7));
      const again = planRetention(carriedOut(found, plan), rules, { ...facts, remembered });
      expect(again.bytes).toBe(0);
      for (const { going, untagged } of again.repositories)
        expect({ going, untagged }).toEqual({ going: [], untagged: [] });
    }),
    { numRuns: 100 },
  );
});

test('all that is planned to go is given up in the end, and frees what the plan said', () => {
  fc.assert(
    fc.property(registries, retentions, (found, rules) => {
      const plan = planRetention(found, rules, facts);
      const after = carriedOut(found, plan);
      const readable = after.repositories.every(({ tags, manifests: all }) =>
        tags.every(({ digest }) => all.has(digest)),
      );
      fc.pre(readable);
      const { manifests: gone } = expired(after, memoryOf(plan, NOW), { now: NOW });
      const isGone = (name: string, digest: string) =>
        gone.some((each) => each.repository === name && each.digest === digest);
      const sizes = (wanted: boolean) =>
        new Map(
          after.repositories.flatMap(({ name, manifests: all }) =>
            [...all.values()]
              .filter(({ digest }) => isGone(name, digest) === wanted)
              .flatMap(({ digest, bytes, blobs }) => [
                [digest, bytes] as const,
                ...blobs.map((blob) => [blob.digest, blob.bytes] as const),
              ]),
          ),
        );
      const kept = sizes(false);
      const freed = [...sizes(true)].filter(([digest]) => !kept.has(digest));
      expect(freed.reduce((sum, [, bytes]) => sum + bytes, 0)).toBe(plan.bytes);
    }),
    { numRuns: 100 },
  );
});
