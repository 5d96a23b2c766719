import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FolderTree } from '../../src/inventory/folder-tree.ts';
import { readInventory } from '../../src/inventory/inventory.ts';
import { onDisk, tagLink } from '../../src/inventory/layout.ts';
import { applyPlan } from '../../src/retention/apply.ts';
import { planRetention } from '../../src/retention/plan.ts';
import { PrunedFile } from '../../src/retention/pruned.ts';
import { systemClock } from '../../src/system/clock.ts';
import { Checkout, loginOf } from '../support/checkout.ts';
import { retention, rule } from '../support/inventories.ts';
import { ImagePusher, type Pushed } from '../support/pushed-images.ts';
import { RegistryCalls } from '../support/registry-calls.ts';

const DAY = 86_400_000;
const SOON = { timeout: 60_000, interval: 200 };

let checkout: Checkout;
let calls: RegistryCalls;
let pusher: ImagePusher;
let as: string;

beforeAll(async () => {
  checkout = await Checkout.make();
  as = loginOf(await checkout.init());
  calls = new RegistryCalls(checkout);
  pusher = new ImagePusher(calls, as);
});

afterAll(() => checkout?.dispose());

const data = () => join(checkout.root, 'registry/data');
const state = (name: string) => join(checkout.root, 'var', name);
const read = (repository: string, reference: string) => calls.manifest(repository, reference, as);
const tags = async (repository: string): Promise<string[]> => {
  const { text } = await calls.ask('GET', `/v2/${repository}/tags/list`, { as });
  return (JSON.parse(text).tags ?? []).toSorted();
};
/** A tag as if it had been pushed so many days ago. */
const age = async (repository: string, tag: string, days: number) => {
  const then = new Date(Date.now() - days * DAY);
  await utimes(onDisk(data(), tagLink(repository, tag)), then, then);
};

/** Of one layer; pushed by its digest where there is no tag. */
const pushImage = (repository: string, tag: string | undefined, content: string, about = {}) =>
  pusher.image(repository, tag, [content], about);

/** An index of two images, of which the one for ARM has a signature of cosign's, and the whole an SBOM. */
async function pushFamily(repository: string, tag: string) {
  const amd = await pushImage(repository, undefined, `${tag} amd64`);
  const arm = await pushImage(repository, undefined, `${tag} arm64`);
  const index = await pusher.index(repository, tag, [amd, arm]);
  const signature = await pushImage(repository, `${arm.digest.replace(':', '-')}.sig`, `${tag} signed`);
  const sbom = await pushImage(repository, undefined, `${tag} sbom`, { subject: index });
  await pusher.index(repository, index.digest.replace(':', '-'), [sbom]);
  return { all: [amd, arm, index, signature, sbom].map(({ digest }) => digest), arm, index };
}

const prune = (...args: string[]) => checkout.command('prune', args);
/** Everything of these can be pulled. */
async function expectWhole(repository: string, digests: readonly string[]): Promise<void> {
  for (const digest of digests) {
    const { status, text } = await read(repository, digest);
    expect({ digest, status }).toEqual({ digest, status: 200 });
    const { config, layers = [] }: { config?: Pushed; layers?: Pushed[] } = JSON.parse(text);
    for (const blob of [...(config === undefined ? [] : [config]), ...layers]) {
      const answer = await calls.ask('GET', `/v2/${repository}/blobs/${blob.digest}`, { as });
      expect(answer.status).toBe(200);
    }
  }
}

describe('a repository of families and shared digests', () => {
  const repo = 'team/app';
  const rules = ['--keep-last', '2', '--keep', 'v*', '--repo', 'team/*'];
  let old: Awaited<ReturnType<typeof pushFamily>>;
  let kept: Awaited<ReturnType<typeof pushFamily>>;
  let shared: Pushed;

  beforeAll(async () => {
    shared = await pushImage(repo, 'build-1', 'shared');
    await pushImage(repo, 'v1', 'shared');
    old = await pushFamily(repo, 'old');
    kept = await pushFamily(repo, 'new');
    await pushImage(repo, 'newest', 'another');
    await pushImage('other/app', 'one', 'left alone');
    for (const [tag, days] of [
      ['build-1', 50],
      ['v1', 49],
      ['old', 40],
      ['new', 30],
    ] as const)
      await age(repo, tag, days);
  });

  test('without a terminal the plan is shown, and nothing is done', async () => {
    const { exitCode, stdout, stderr } = await prune(...rules);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--yes') });
    expect(stdout).toMatch(/4 tags in 1 repository go; 5 stay\. A collection then frees/);
    expect(await tags(repo)).toContain('old');
  });

  test('what goes is gone, all of what stays can be pulled, and what went too until it is given up', async () => {
    const { stdout } = await prune(...rules, '--yes', '--json');
    const plan = JSON.parse(stdout);
    expect(plan).toMatchObject({ repositories: [{ name: repo }], applied: { removed: 4, changed: [] } });
    const arm = kept.arm.digest.replace(':', '-');
    const index = kept.index.digest.replace(':', '-');
    expect(await tags(repo)).toEqual(['new', 'newest', `${arm}.sig`, index, 'v1'].toSorted());
    expect(await tags('other/app')).toEqual(['one']);
    await expectWhole(repo, [shared.digest, ...kept.all, ...old.all]);
    expect(JSON.parse((await prune(...rules, '--yes', '--json')).stdout)).toMatchObject({
      bytes: 0,
      applied: null,
    });
  });

  test('--why says what becomes of a tag and of a manifest', async () => {
    const why = async (reference: string) => (await prune(...rules, '--why', reference)).stdout;
    expect(await why(`${repo}:v1`)).toMatch(/v1 stays: keep v\* \(the flags\)/);
    expect(await why(`${checkout.authority}/${repo}:new`)).toMatch(/stays: keep-last 2 .* number 2 /);
    expect(await why(`${repo}:old`)).toMatch(/was removed on .*--undo/);
    expect(await why(`${repo}@${kept.arm.digest}`)).toMatch(/stays: new/);
    expect(await why(`${repo}@${old.arm.digest}`)).toMatch(/was removed on/);
    expect(await why('other/app:one')).toMatch(/no rule names/);
  });

  test('--undo brings the last run back, with the former times, so that the same would go again', async () => {
    const { exitCode, stdout } = await prune('--undo', '--json');
    expect(exitCode).toBe(0);
    const { returned } = JSON.parse(stdout);
    expect(returned.map(({ outcome }: { outcome: string }) => outcome)).toEqual([
      'back',
      'back',
      'back',
      'back',
    ]);
    expect(await read(repo, 'old')).toMatchObject({
      status: 200,
      headers: { 'docker-content-digest': old.index.digest },
    });
    expect(
      JSON.parse((await prune(...rules, '--dry-run', '--json')).stdout).repositories[0].going,
    ).toHaveLength(4);
  });

  test('--undo never overwrites a tag that was pushed anew', async () => {
    await prune(...rules, '--yes');
    const anew = await pushImage(repo, 'build-1', 'anew');
    const { stdout } = await prune('--undo', `${repo}:build-1`, `${repo}:old`);
    expect(stdout).toMatch(/build-1 was pushed anew[\s\S]*old is back/);
    expect((await read(repo, 'build-1')).headers['docker-content-digest']).toBe(anew.digest);
    expect((await prune('--undo', `${repo}:oldest`)).exitCode).toBe(2);
  });

  test('given up, its manifests go with the next collection, and nothing else', async () => {
    const three = ['--keep-last', '3', '--keep', 'v*', '--repo', 'team/*']; // one was pushed anew
    await prune(...three, '--yes', '--undo-days', '0');
    const collected = await checkout.command('gc', ['--json']);
    expect(collected, collected.stderr).toMatchObject({ exitCode: 0 });
    for (const digest of old.all)
      await expect.poll(async () => (await read(repo, digest)).status, SOON).toBe(404);
    await expectWhole(repo, [shared.digest, ...kept.all]);
    expect((await readFile(state('pruned.jsonl'), 'utf8')).trim()).toBe('');
  });
});

test('tags that are pushed while prune removes them stay, and the others go', async () => {
  const repo = 'busy/app';
  const busy = Array.from({ length: 10 }, (_, index) => `busy-${index}`);
  const idle = Array.from({ length: 10 }, (_, index) => `idle-${index}`);
  const tree = new FolderTree(data());
  const house = {
    tree,
    reopen: async () => tree,
    closed: <T>(work: (expectClosed: () => void) => Promise<T>) => work(() => undefined),
    pruned: new PrunedFile(state('pruned-meanwhile.jsonl')),
    clock: systemClock,
  };
  const facts = { remembered: [], immutable: () => false };
  const rules = retention(rule({ repo, days: 1 }));
  await pushImage(repo, 'young', 'kept by its age');
  for (let round = 0; round < 6; round++) {
    for (const tag of [...busy, ...idle]) await pushImage(repo, tag, 'before');
    for (const tag of [...busy, ...idle]) await age(repo, tag, 3);
    const plan = planRetention(await readInventory(tree), rules, { ...facts, now: new Date() });
    expect(plan.repositories[0]?.going).toHaveLength(20);
    const pushes = busy.map(async (tag, index) => {
      await systemClock.sleep(index * 5);
      // The same digest in every other round: a push all the same.
      return [
        tag,
        (await pushImage(repo, tag, round % 2 === 0 ? 'before' : `${tag} ${round}`)).digest,
      ] as const;
    });
    const [applied, ...pushed] = await Promise.all([applyPlan(house, plan, 7), ...pushes]);
    expect(applied.removed).toBeGreaterThanOrEqual(10);
    for (const [tag, digest] of pushed)
      expect([tag, (await read(repo, tag)).headers['docker-content-digest']]).toEqual([tag, digest]);
    expect(await tags(repo)).toEqual([...busy, 'young'].toSorted());
  }
  expect(await readdir(onDisk(data(), `repositories/${repo}/_moorage`))).toEqual([]);
});

test.concurrent.each<[string, string[], RegExp]>([
  ['no rules', [], /rules: there are none.*npm run prune -- --keep-last 10/],
  ['nothing to keep', ['--repo', 'team/*'], /--repo: says nothing of what to keep/],
  [
    'an unknown repository',
    ['--keep-last', '1', '--repo', 'team/ap'],
    /team\/ap: there is no such repository; there is team\/app/,
  ],
  ['a malformed number', ['--keep-last', 'ten'], /"ten" is no whole number/],
  ['a malformed pattern', ['--keep', 'a/b'], /no tag has "\/" in its name/],
  ['an unknown tag', ['--keep-last', '1', '--why', 'team/app:v9'], /team\/app has no tag v9; there is v1/],
])('%s: exit 2 and what would be right', async (_, args, reason) => {
  const { exitCode, stderr } = await prune(...args, '--yes');
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(reason) });
});

describe('retention.yaml', () => {
  const file = () => join(checkout.root, 'retention.yaml');

  test('what is wrong with it is told by line, by prune and by init-tls, and nothing has changed', async () => {
    await writeFile(
      file(),
      "undo-days: soon\nrules:\n  - repo: 'team/**'\n    keep-lost: 3\n  - keep-last: 0\n",
    );
    const problems = [
      /retention\.yaml:1: undo-days: "soon"/,
      /retention\.yaml:4: keep-lost is not known/,
      /retention\.yaml:5: /,
    ];
    for (const run of [() => prune(), () => checkout.command('init-tls', ['--yes'])]) {
      const { exitCode, stderr } = await run();
      expect(exitCode).toBe(2);
      for (const problem of problems) expect(stderr).toMatch(problem);
    }
    await expect(readFile(state('retention.yaml'))).rejects.toThrow('ENOENT');
  });

  test('the daemon goes by it once a day, and says so', async () => {
    await writeFile(file(), "rules:\n  - repo: 'daily/*'\n    keep-last: 1\n");
    await pushImage('daily/app', 'one', 'one');
    await pushImage('daily/app', 'two', 'two');
    await age('daily/app', 'one', 3);
    expect((await prune('--dry-run')).stdout).toMatch(/does not follow .*retention\.yaml yet/);
    const { steps } = await checkout.init();
    expect(steps.find(({ title }) => title === 'Clean-up')).toMatchObject({ changed: true });
    await writeFile(state('retention.json'), JSON.stringify({ last: new Date(Date.now() - 2 * DAY) }));
    await checkout.compose('restart', '--timeout', '1', 'renewer');
    await expect.poll(() => tags('daily/app'), SOON).toEqual(['two']);
    await expect
      .poll(() => readFile(state('events.jsonl'), 'utf8').catch(() => ''), SOON)
      .toContain('1 tag removed by retention.yaml');
    expect((await prune('--undo')).stdout).toMatch(/daily\/app:one is back/);
  });
});
