import { join } from 'node:path';
import { vi } from 'vitest';
import { paths } from '../../src/paths.ts';
import { ensureEnvFile, writeOwn } from '../../src/settings/env-file.ts';
import { writeAtomically } from '../../src/system/files.ts';
import { Checkout } from './checkout.ts';
import { RegistryCalls } from './registry-calls.ts';

/** A stack with rules of access, and with users whose passwords are known. */
export class GuardedStack {
  readonly checkout: Checkout;
  readonly calls: RegistryCalls;
  readonly #passwords = new Map<string, string>();

  private constructor(checkout: Checkout) {
    this.checkout = checkout;
    this.calls = new RegistryCalls(checkout);
  }

  /**
   * @param access what access.yaml says; in force when this returns
   * @param env settings beside a checkout's own
   * @param lines settings that stand in `.env`, where commands change them
   */
  static async open(
    access: string,
    names: readonly string[],
    env: Record<string, string> = {},
    lines: Record<string, string> = {},
  ): Promise<GuardedStack> {
    const stack = new GuardedStack(await Checkout.make(env));
    const places = paths(stack.checkout.root);
    await ensureEnvFile(places);
    await writeOwn(places.envFile, lines);
    const { firstUser } = await stack.checkout.init();
    stack.#passwords.set('admin', firstUser?.password ?? '');
    for (const name of names) await stack.#add(name);
    await stack.setAccess(access);
    const ask = { as: stack.login(names[0] ?? 'nobody') };
    const unnamed = () => stack.calls.ask('GET', '/v2/named-by-no-rule/tags/list', ask);
    await vi.waitUntil(async () => (await unnamed()).status === 403, { timeout: 60_000, interval: 50 });
    return stack;
  }

  get authority(): string {
    return this.checkout.authority;
  }

  password(name: string): string {
    const password = this.#passwords.get(name);
    if (password === undefined) throw new Error(`there is no user ${name}`);
    return password;
  }

  /** `name:password` */
  login(name: string): string {
    return `${name}:${this.password(name)}`;
  }

  /** In force within a second. */
  async setAccess(text: string): Promise<void> {
    await writeAtomically(join(this.checkout.root, 'registry/auth/access.yaml'), text, 0o600);
  }

  /** What nginx has written about requests so far, one a line. */
  async accessLog(): Promise<string> {
    return (await this.checkout.compose('logs', '--no-log-prefix', 'nginx')).stdout;
  }

  async #add(name: string): Promise<void> {
    const password = `${name}-password`;
    const added = await this.checkout.command('user', ['add', name, '--password-stdin'], { input: password });
    if (added.exitCode !== 0) throw new Error(added.stderr);
    this.#passwords.set(name, password);
  }
}
