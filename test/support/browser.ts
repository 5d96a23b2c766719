import { execa } from 'execa';
import puppeteer, { type Browser, type CDPSession, type HTTPResponse, type Page } from 'puppeteer-core';

/** Headless Chromium, as it is installed here, in a profile of its own that goes with it. */
export async function openBrowser(): Promise<Browser> {
  const { stdout: executablePath } = await execa('which', ['chromium']);
  return puppeteer.launch({ executablePath, args: ['--no-sandbox', '--ignore-certificate-errors'] });
}

/**
 * Chromium drops what is under way when a network of the machine changes, as when some container starts. Then the scene
 * is played once more from its beginning.
 */
export async function undisturbed(scene: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await scene();
    } catch (error) {
      if (!String(error).includes('ERR_NETWORK_CHANGED')) throw error;
    }
  }
}

/** A page whose questions for a password are answered as a person would, and counted. */
export class PersonAtPage {
  readonly page: Page;
  /** Realms that the browser showed with its questions. */
  readonly asked: string[] = [];
  /** Name and password; without one the question is dismissed. */
  readonly #login: string | undefined;
  readonly #session: CDPSession;

  private constructor(page: Page, session: CDPSession, login: string | undefined) {
    this.page = page;
    this.#session = session;
    this.#login = login;
  }

  static async open(page: Page, login?: string): Promise<PersonAtPage> {
    const person = new PersonAtPage(page, await page.createCDPSession(), login);
    await person.#attend();
    return person;
  }

  /** What the browser ends up with, and what is to be read on the page. */
  async visit(url: string): Promise<{ status: number | undefined; text: string }> {
    const response: HTTPResponse | null = await this.page.goto(url);
    return {
      status: response?.status(),
      text: await this.page.evaluate('document.body.innerText').then(String),
    };
  }

  async #attend(): Promise<void> {
    const session = this.#session;
    session.on('Fetch.requestPaused', ({ requestId }) => {
      session.send('Fetch.continueRequest', { requestId }).catch(() => undefined);
    });
    session.on('Fetch.authRequired', ({ requestId, authChallenge }) => {
      const again = this.asked.length > 0;
      this.asked.push(authChallenge.realm);
      const [username = '', password = ''] = this.#login?.split(':') ?? [];
      const authChallengeResponse =
        this.#login === undefined || again
          ? ({ response: 'CancelAuth' } as const)
          : ({ response: 'ProvideCredentials', username, password } as const);
      session.send('Fetch.continueWithAuth', { requestId, authChallengeResponse }).catch(() => undefined);
    });
    await session.send('Fetch.enable', { handleAuthRequests: true });
  }
}
