import { readFile } from 'node:fs/promises';
import { parseChain } from '../certificates/certificate.ts';
import { type Address, parseAddress } from '../doctor/outside/address.ts';
import { type Asked, outsideCheckNames } from '../doctor/outside/examine.ts';
import { WrongInput, whyUnreadable } from '../errors.ts';
import { nameProblem } from '../settings/names.ts';
import { givenPath } from './given-path.ts';
import { obtainLogin } from './password-input.ts';

/** What a person says about a registry on another machine. */
export interface Elsewhere {
  readonly at: Address;
  readonly address?: string;
  readonly ca?: string;
  readonly user?: string;
  readonly passwordStdin?: boolean;
  readonly repository?: string;
}

/**
 * The same as the doctor wants it. Asks for the password.
 * @throws WrongInput with what is none
 */
export async function askedFor(
  given: Elsewhere,
  only: readonly string[],
): Promise<Omit<Asked, 'clock' | 'quick'>> {
  expectChecks(only);
  const { at, address, ca, repository } = given;
  return {
    address: address === undefined ? at : { ...at, connectTo: machine(address) },
    trust: ca === undefined ? { kind: 'system' } : await authority(ca),
    login: await loginOf(given),
    ...(repository === undefined ? {} : { repository }),
    only,
  };
}

/** @throws WrongInput for what means nothing without `--at` */
export function expectNoneOf({ address, ca, user, passwordStdin, repository }: Omit<Elsewhere, 'at'>): void {
  const named = Object.entries({ address, ca, user, 'password-stdin': passwordStdin, repository });
  const given = named.filter(([, value]) => value !== undefined);
  if (given.length === 0) return;
  throw new WrongInput(given.map(([name]) => ({ input: `--${name}`, message: 'needs --at' })));
}

/** For commander. */
export function place(text: string): Address {
  const address = parseAddress(text);
  if (typeof address !== 'string') return address;
  throw new WrongInput([{ input: `--at ${text}`, message: address }]);
}

async function loginOf({ user, ...options }: Elsewhere): Promise<Asked['login']> {
  if (user === undefined && options.passwordStdin === true)
    throw new WrongInput([{ input: '--password-stdin', message: 'needs --user' }]);
  if (user === undefined) return undefined;
  return { kind: 'given', credentials: { user, password: await obtainLogin(user, options) } };
}

async function authority(file: string) {
  try {
    const pem = await readFile(givenPath(file), 'utf8');
    parseChain(pem);
    return { kind: 'authority' as const, pem };
  } catch (error) {
    throw new WrongInput([{ input: `--ca ${file}`, message: `is no certificate: ${whyUnreadable(error)}` }]);
  }
}

function expectChecks(only: readonly string[]): void {
  const names = outsideCheckNames();
  const unknown = only.filter((name) => !names.includes(name));
  if (unknown.length === 0) return;
  const message = `is no check from another machine; there are ${names.join(', ')}`;
  throw new WrongInput(unknown.map((input) => ({ input, message })));
}

function machine(text: string): string {
  const problem = nameProblem(text);
  if (problem === undefined) return text;
  throw new WrongInput([{ input: `--address ${text}`, message: problem }]);
}
