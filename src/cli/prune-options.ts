import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Problem, WrongInput } from '../errors.ts';
import type { Inventory } from '../inventory/inventory.ts';
import { nearest } from '../nearest.ts';
import type { Rules } from '../retention/handed-on.ts';
import {
  DEFAULT_DAYS,
  type Glob,
  keepsSomething,
  type NumberName,
  parseNumber,
  type Retention,
  repositoryGlob,
  tagGlob,
} from '../retention/rules.ts';
import { type Front, registryAuthority } from '../settings/settings.ts';

/** As commander hands them on. */
export interface PruneOptions {
  readonly repo?: readonly Glob[];
  readonly keepLast?: number;
  readonly keepDays?: number;
  readonly keep?: readonly Glob[];
  readonly untaggedDays?: number;
  readonly undoDays?: number;
  readonly why?: string;
  readonly undo?: readonly string[] | true;
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly verbose: boolean;
  readonly json: boolean;
}

interface Chosen extends Retention {
  /** Not by the file. */
  readonly byFlags: boolean;
}

const EXAMPLE = "npm run prune -- --keep-last 10 --keep-days 30 --keep 'v*' --repo 'team/*'";

export function withPruneOptions(command: Command): Command {
  const doing = ['keepLast', 'keepDays', 'keep', 'repo', 'untaggedDays', 'undoDays', 'dryRun', 'why'];
  return command
    .option('--repo <pattern...>', 'where, as in access.yaml (default: every repository)', repositoryPatterns)
    .option('--keep-last <n>', 'keep so many tags of each repository, the last pushed', number('keep-last'))
    .option('--keep-days <n>', 'keep tags that were pushed in so many days', number('keep-days'))
    .option('--keep <pattern...>', 'keep tags by name', tagPatterns)
    .option(
      '--untagged-days <n>',
      'keep manifests without a tag for so many days (default: 7)',
      number('untagged-days'),
    )
    .option(
      '--undo-days <n>',
      'what goes can be brought back for so many days (default: 7)',
      number('undo-days'),
    )
    .option('--dry-run', 'show the plan and do nothing', false)
    .option('-y, --yes', 'do it without asking', false)
    .option('--verbose', 'list every tag', false)
    .option('--json', 'print the plan, and what came of it, as JSON', false)
    .addOption(
      new Option('--why <reference>', 'say what keeps REPOSITORY:TAG or REPOSITORY@DIGEST').conflicts('undo'),
    )
    .addOption(
      new Option(
        '--undo [reference...]',
        'bring back REPOSITORY:TAG, or all that the last run removed',
      ).conflicts(doing),
    )
    .addHelpText(
      'after',
      `\nWithout rules here those of retention.yaml hold; docs/clean-up.md.\n\n  ${EXAMPLE}`,
    );
}

/**
 * The rules to go by: one that the flags make, or those of the file.
 * @throws WrongInput where there are none, or where the flags keep nothing
 */
export function chooseRetention(options: PruneOptions, file: Rules | undefined): Chosen {
  const { repo, keepLast: last, keepDays: days, keep: tags = [], untaggedDays, undoDays } = options;
  const own = { last, days, tags };
  if (keepsSomething(own)) {
    const repositories = repo ?? [expectGlob('**')];
    const rule = { name: 'the flags', repositories, ...own, untaggedDays: untaggedDays ?? DEFAULT_DAYS };
    return { rules: [rule], undoDays: undoDays ?? DEFAULT_DAYS, byFlags: true };
  }
  if (repo !== undefined || untaggedDays !== undefined) {
    const flag = repo !== undefined ? '--repo' : '--untagged-days';
    throw wrong(
      flag,
      `says nothing of what to keep; add one of --keep-last, --keep-days, --keep: ${EXAMPLE}`,
    );
  }
  if (file === undefined)
    throw wrong('rules', `there are none; give some, or write retention.yaml (docs/clean-up.md): ${EXAMPLE}`);
  return { ...file.retention, undoDays: undoDays ?? file.retention.undoDays, byFlags: false };
}

/** @throws WrongInput for each `--repo` that means none of the repositories there are, naming what is near */
export function expectRepositories(
  repo: readonly Glob[] = [],
  { repositories }: Pick<Inventory, 'repositories'>,
): void {
  const problems = unmatched(repo, repositories, ({ text }) => `--repo ${text}`);
  if (problems.length > 0) throw new WrongInput(problems);
}

/** Patterns of rules that mean no repository there is: a slip, or one that is pushed to later. */
export function idlePatterns({ rules }: Retention, { repositories }: Pick<Inventory, 'repositories'>) {
  return rules.flatMap((rule) =>
    unmatched(rule.repositories, repositories, ({ text }) => `${rule.name}: ${text}`),
  );
}

function unmatched(
  globs: readonly Glob[],
  repositories: Inventory['repositories'],
  input: (glob: Glob) => string,
): readonly Problem[] {
  const names = repositories.map(({ name }) => name);
  return globs
    .filter(({ matches }) => !names.some(matches))
    .map((glob) => {
      const near = nearest(glob.text.replace(/\/\*+$/, ''), names);
      return { input: input(glob), message: `there is no such repository${near}` };
    });
}

/** What `--undo` names; nothing is all of the last run. */
export function namesOf(undo: readonly string[] | true): readonly string[] {
  return undo === true ? [] : undo;
}

/** `team/app:v1`, also where somebody gives the whole name by which Docker knows it. */
export function referenceIn(settings: Front, reference: string): string {
  const prefix = `${registryAuthority(settings)}/`;
  return reference.startsWith(prefix) ? reference.slice(prefix.length) : reference;
}

function number(name: NumberName): (text: string) => number {
  return (text) => {
    const value = parseNumber(name, text);
    if (typeof value === 'string') throw new InvalidArgumentError(value);
    return value;
  };
}

function repositoryPatterns(text: string, before: readonly Glob[] = []): readonly Glob[] {
  return [...before, expectGlob(text)];
}

function expectGlob(text: string): Glob {
  const glob = repositoryGlob(text);
  if (typeof glob === 'string') throw new InvalidArgumentError(glob);
  return glob;
}

function tagPatterns(text: string, before: readonly Glob[] = []): readonly Glob[] {
  const glob = tagGlob(text);
  if (typeof glob === 'string') throw new InvalidArgumentError(glob);
  return [...before, glob];
}

function wrong(input: string, message: string): WrongInput {
  return new WrongInput([{ input, message }]);
}
