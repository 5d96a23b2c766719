import { request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { bracketed } from '../../settings/names.ts';

export interface HttpAnswer {
  readonly status: number;
  /** Where it leads on to. */
  readonly location?: string | undefined;
  readonly body: string;
}

/** GET over plain HTTP from just this address, as the host `name`. `undefined`: nobody answers. */
export function httpAnswer(
  address: { readonly host: string; readonly port: number },
  name: string,
  path: string,
  within: number,
): Promise<HttpAnswer | undefined> {
  return new Promise((resolve) => {
    const options = { ...address, path, headers: { host: bracketed(name) }, agent: false };
    const asked = request({ ...options, signal: AbortSignal.timeout(within) });
    asked.once('error', () => resolve(undefined));
    asked.once('response', (response) => {
      const status = response.statusCode ?? 0;
      buffer(response).then(
        (body) => resolve({ status, location: response.headers.location, body: body.toString() }),
        () => resolve(undefined),
      );
    });
    asked.end();
  });
}
