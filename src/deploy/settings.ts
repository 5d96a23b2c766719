import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join, normalize } from 'node:path';
import { parse } from 'dotenv';
import { type Problem, WrongInput, whyUnreadable } from '../errors.ts';
import { type Paths, paths as pathsOf } from '../paths.ts';
import { readOwn, withOwn } from '../settings/env-file.ts';
import { settingsElsewhere, trustProblems, valueProblem } from '../settings/load.ts';
import { OWN_NAMES, SETTING_NAMES } from '../settings/schema.ts';
import type { Settings } from '../settings/settings.ts';
import { readIfExists } from '../system/files.ts';

/** Settings as a person gives them, by name. An empty one is to be unset there. */
export type Given = Readonly<Record<string, string>>;

/** What a far `.env` is to become. */
export interface SettingsPlan {
  /** The whole file. */
  readonly text: string;
  /** Names of the settings that become other ones; all that are given where there is no `.env` yet. */
  readonly changed: readonly string[];
  /** What the given ones are, by name: for those that look at the plan first. */
  readonly given: Given;
  /** All settings there, with these. */
  readonly settings: Settings;
  /** Files that settings name by `./`: they go along. */
  readonly files: readonly CopiedFile[];
}

export interface CopiedFile {
  /** Relative to the checkout, here and there. */
  readonly path: string;
  readonly content: string;
}

/**
 * Another machine's backups must not be encrypted, nor looked for, by the password that was made for this one's; and who
 * renews here says nothing about who renews there.
 */
const STAYS_HERE = ['BACKUP_PASSWORD', 'RENEWER_REPLICAS'];
/** Files that containers read; other paths are folders of state. */
const FILES = ['ACME_CA_BUNDLE', 'MIRROR_CA_BUNDLE', 'S3_CA_BUNDLE'];

/**
 * The settings of this checkout that another machine can have: the person's own lines, without what is true here alone.
 * The environment is left out: what a shell has for something else would travel.
 * @param envFile another file to take them from, as it is
 * @throws WrongInput when that one is missing
 */
export async function readGiven(paths: Paths, envFile: string | undefined): Promise<Given> {
  if (envFile !== undefined) {
    const text = await readIfExists(envFile).catch((error) => {
      throw wrong('--settings', `${envFile} can't be read: ${whyUnreadable(error)}`);
    });
    if (text === undefined) throw wrong('--settings', `there is no ${envFile}`);
    return settingsOf(readOwn(text), OWN_NAMES);
  }
  const own = settingsOf(readOwn((await readIfExists(paths.envFile)) ?? ''), OWN_NAMES);
  const travels = ([name, value]: [string, string]) =>
    !STAYS_HERE.includes(name) && !(name === 'DOMAIN' && isLoopback(value));
  return Object.fromEntries(Object.entries(own).filter(travels));
}

/**
 * `NAME=VALUE` as `--set` takes it.
 * @throws WrongInput
 */
export function parseSet(texts: readonly string[]): Given {
  const pairs = texts.map((text) => {
    const [, given, value] = /^([A-Za-z][A-Za-z0-9_]*)=(.*)$/s.exec(text) ?? [];
    if (given === undefined || value === undefined) throw wrong('--set', 'must be NAME=VALUE');
    const name = given.toUpperCase(); // as an inventory takes it
    if (!OWN_NAMES.includes(name))
      throw wrong(`--set ${given}`, 'is not a setting; .env.dist lists them all');
    const problem = valueProblem(name, value.trim());
    if (problem !== undefined) throw wrong(`--set ${given}`, problem);
    return [name, value.trim()] as const;
  });
  return Object.fromEntries(pairs);
}

/**
 * What the far `.env` becomes, all of it checked. Other lines, comments and what init-tls wrote there stay.
 * @param far its text, where there is one
 * @throws WrongInput with every problem there is, each naming machine and setting
 */
export async function planSettings(
  paths: Paths,
  host: { readonly name: string; readonly address: string; readonly folder: string },
  far: string | undefined,
  given: Given,
): Promise<SettingsPlan> {
  const unknown = Object.keys(given).filter((name) => !OWN_NAMES.includes(name));
  refuse(host.name, [
    ...unknown.map((input) => ({ input, message: 'is not a setting; .env.dist lists them all' })),
    ...Object.entries(given).flatMap(([input, value]) => unwritable(input, value)),
  ]);
  const base = far ?? (await readFile(paths.envExample, 'utf8'));
  const { text, names } = withOwn(base, wanted(given));
  const values = settingsOf(parse(text), SETTING_NAMES);
  const set = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''));
  const others = [...addressProblems(set.DOMAIN, host.address), ...(await fileProblems(paths, given))];
  const settings = judged(host.name, others, () => settingsElsewhere(pathsOf(host.folder), set));
  const files = await Promise.all(
    copied(given).map(async ([, path]) => ({
      path,
      content: await readFile(join(paths.root, path), 'utf8'),
    })),
  );
  return { text: ended(text), changed: names, given, settings, files };
}

/** The text of a `.env` with the given settings in it. */
export function textWith(far: string, given: Given): string {
  return ended(withOwn(far, wanted(given)).text);
}

function wanted(given: Given): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, value || undefined]));
}

function ended(text: string): string {
  return `${text.trimEnd()}\n`;
}

function settingsOf(
  values: Readonly<Record<string, string>>,
  known: readonly string[],
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values)
      .filter(([name]) => known.includes(name))
      .map(([name, value]) => [name, value.trim()]),
  );
}

function addressProblems(domain: string | undefined, address: string): Problem[] {
  if (domain !== undefined && !isLoopback(domain)) return [];
  const what = domain === undefined ? 'is not set' : `"${domain}" would lead every client to itself`;
  const byAddress = isIP(address) === 0 ? '' : `, or its address: --set DOMAIN=${address}`;
  const message = `${what}; give the name that clients use: --set DOMAIN=registry.example.com${byAddress}`;
  return [{ input: 'DOMAIN', message }];
}

function isLoopback(name: string): boolean {
  return /^(localhost|.*\.localhost|127\..*|::1)\.?$/i.test(name);
}

/** A line of `.env` can't hold everything: neither dotenv nor Compose would read it alike. */
function unwritable(input: string, value: string): Problem[] {
  const parts = [
    ...(/[\r\n\0]/.test(value) ? ['a line break'] : []),
    ...(/'/.test(value) && /[$#"\\]/.test(value) ? ['a \' beside a $, a #, a " or a \\'] : []),
    ...(/\\$/.test(value) && /[$#]|^["`]/.test(value) ? ['a \\ at its end beside a $, a #, a " or a `'] : []),
  ];
  return parts.map((part) => ({ input, message: `has ${part}, which .env can't hold` }));
}

/** [name, path] of the files that go along. */
function copied(given: Given): [string, string][] {
  return FILES.flatMap((name) => {
    const path = given[name];
    return path?.startsWith('./') ? [[name, normalize(path)] as [string, string]] : [];
  });
}

async function fileProblems(paths: Paths, given: Given): Promise<Problem[]> {
  const problems = copied(given).map(async ([name, path]) =>
    path.startsWith('..')
      ? [
          {
            input: name,
            message: `"${given[name]}" is outside the checkout; an absolute path is the far machine's`,
          },
        ]
      : trustProblems(paths, name, path),
  );
  return (await Promise.all(problems)).flat();
}

function judged(host: string, others: readonly Problem[], read: () => Settings): Settings {
  let settings: Settings;
  try {
    settings = read();
  } catch (error) {
    if (error instanceof WrongInput) refuse(host, [...others, ...error.problems]);
    throw error;
  }
  refuse(host, others);
  return settings;
}

function refuse(host: string, problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  throw new WrongInput(problems.map(({ input, message }) => ({ input: `${input} (${host})`, message })));
}

function wrong(input: string, message: string): WrongInput {
  return new WrongInput([{ input, message }]);
}
