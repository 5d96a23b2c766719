import { text } from 'node:stream/consumers';
import askPassword from '@inquirer/password';
import { WrongInput } from '../errors.ts';
import { Secret } from '../secret.ts';
import { generatePassword, passwordProblem } from '../users/password.ts';
import { Terminal } from './terminal.ts';

export interface PasswordOptions {
  readonly passwordStdin?: boolean;
  readonly generate?: boolean;
}

export interface ChosenPassword {
  readonly secret: Secret;
  /** Nobody knows it yet: it has to be shown. */
  readonly generated: boolean;
}

/**
 * A password from standard input, made here, or asked for twice without echo.
 * @throws WrongInput when it can't be one, when the two differ, or when there is nobody to ask
 */
export async function obtainPassword(name: string, options: PasswordOptions): Promise<ChosenPassword> {
  if (options.generate === true) return { secret: generatePassword(), generated: true };
  const password = options.passwordStdin === true ? await fromStandardInput() : await ask(name);
  const problem = passwordProblem(password);
  if (problem !== undefined) throw wrong(problem);
  return { secret: new Secret(password), generated: false };
}

/**
 * The password of somebody who has one: from standard input, or asked for once without echo.
 * @throws WrongInput when there is nobody to ask
 */
export async function obtainLogin(user: string, { passwordStdin }: PasswordOptions): Promise<Secret> {
  if (passwordStdin === true) return new Secret(await fromStandardInput());
  if (!new Terminal(process.stderr).interactive)
    throw new WrongInput([
      { input: '--user', message: 'there is no terminal to ask for the password; use --password-stdin' },
    ]);
  // Standard output may be for JSON.
  const asked = { message: `Password of ${user}:` };
  return new Secret(await askPassword(asked, { output: process.stderr }));
}

export function showGenerated(name: string, { secret, generated }: ChosenPassword, what: string): void {
  const shown = generated ? `, password ${secret.reveal()}  (shown only now)` : '';
  process.stdout.write(`${name} ${what}${shown}\n`);
}

/** One line break at the end is that of `echo`, not of the password. */
async function fromStandardInput(): Promise<string> {
  return (await text(process.stdin)).replace(/\r?\n$/, '');
}

async function ask(name: string): Promise<string> {
  if (!new Terminal(process.stdout).interactive) {
    throw new WrongInput([
      { input: 'password', message: 'there is no terminal to ask; use --generate or --password-stdin' },
    ]);
  }
  const first = await askPassword({ message: `Password for ${name}:` });
  const second = await askPassword({ message: 'Once more:' });
  if (first !== second) throw wrong('the two are not the same');
  return first;
}

function wrong(message: string): WrongInput {
  return new WrongInput([{ input: 'password', message }]);
}
