import { isPrivateName, nameProblem, unbracketed } from './names.ts';

/** Where images called `docker.io/…` are: the name itself answers no registry's requests. */
const DOCKER_HUB = 'https://registry-1.docker.io';
const NAMES_OF_HUB = ['docker.io', 'index.docker.io', 'registry-1.docker.io', 'hub.docker.com'];

/** The registry that a text stands for, or the reason it is none; the reason never repeats a password. */
export function parseUpstream(text: string): { readonly origin: string } | string {
  if (NAMES_OF_HUB.includes(text)) return { origin: DOCKER_HUB };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['https:', 'http:'].includes(url.protocol))
    return 'is neither docker.io nor a URL like https://registry.example.com';
  if (url.username !== '' || url.password !== '')
    return 'must not carry a password; give it as MIRROR_USERNAME and MIRROR_PASSWORD';
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
    return `must end with the host or its port: ${url.origin}`;
  const host = unbracketed(url);
  if (nameProblem(host) !== undefined) return 'has no host name or IP address';
  if (url.protocol === 'http:' && !isPrivateName(host))
    return 'must begin with https://; http is for private addresses and names alone';
  return { origin: NAMES_OF_HUB.includes(url.host) ? DOCKER_HUB : url.origin };
}
