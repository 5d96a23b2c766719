import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { BUILT } from '../../../src/images/catalog.ts';
import { NAME } from './fronts.ts';
import { CADDY_IMAGE } from './images.ts';

/** Registries as people set them up, without any login, over one folder of data. */
export interface Peers {
  readonly storage: string;
  /** What the engine knows a service's container by. */
  readonly container: (service: string) => Promise<string>;
  readonly dispose: () => Promise<void>;
}

/**
 * @param folder a new one on the disk that is measured
 * @param certificate folder with fullchain.pem and privkey.pem
 */
export async function startPeers(project: string, folder: string, certificate: string): Promise<Peers> {
  const storage = join(folder, 'data');
  await mkdir(storage, { recursive: true });
  await writeFile(join(folder, 'registry.yml'), REGISTRY);
  await writeFile(join(folder, 'guide.conf'), nginx(GUIDE));
  await writeFile(join(folder, 'ancestor.conf'), nginx(ANCESTOR));
  await writeFile(join(folder, 'Caddyfile'), CADDYFILE);
  await writeFile(join(folder, 'compose.yaml'), composeFile(project, certificate));
  const compose = (...args: readonly string[]) =>
    execa('docker', ['compose', '--project-directory', folder, ...args]);
  const dispose = async () => void (await compose('down', '--timeout', '2'));
  const container = async (service: string) => (await compose('ps', '--quiet', service)).stdout.trim();
  try {
    await compose('up', '--detach');
  } catch (error) {
    await dispose();
    throw error;
  }
  return { storage, container, dispose };
}

function composeFile(project: string, certificate: string): string {
  const tls = JSON.stringify(`${certificate}:/tls:ro`);
  const registry = `image: ${BUILT.registry}
    command: [serve, /registry.yml]
    volumes: [./registry.yml:/registry.yml:ro, ./data:/var/lib/registry, ${tls}]`;
  const proxy = (name: string) => `image: ${BUILT.nginx}
    entrypoint: [nginx, -g, daemon off;]
    command: []
    volumes: [./${name}.conf:/etc/nginx/nginx.conf:ro, ${tls}]
    depends_on: [registry]`;
  return `name: ${project}
services:
  registry:
    ${registry}
    environment: { REGISTRY_HTTP_SECRET: bench }
  own-tls:
    ${registry}
    environment:
      REGISTRY_HTTP_SECRET: bench
      REGISTRY_HTTP_ADDR: :443
      REGISTRY_HTTP_TLS_CERTIFICATE: /tls/fullchain.pem
      REGISTRY_HTTP_TLS_KEY: /tls/privkey.pem
  guide:
    ${proxy('guide')}
  ancestor:
    ${proxy('ancestor')}
  caddy:
    image: ${CADDY_IMAGE}
    volumes: [./Caddyfile:/etc/caddy/Caddyfile:ro, ${tls}]
    depends_on: [registry]
`;
}

/** What the image registry:2 comes with. */
const REGISTRY = `version: 0.1
log:
  fields: { service: registry }
storage:
  cache: { blobdescriptor: inmemory }
  filesystem: { rootdirectory: /var/lib/registry }
http:
  addr: :5000
  headers: { X-Content-Type-Options: [nosniff] }
health:
  storagedriver: { enabled: true, interval: 10s, threshold: 3 }
`;

/** The nginx.conf of the official image. */
function nginx(server: string): string {
  return `user www-data;
worker_processes auto;
error_log /dev/stderr notice;
pid /run/nginx.pid;
events { worker_connections 1024; }
http {
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    log_format main '$remote_addr - $remote_user [$time_local] "$request" '
                    '$status $body_bytes_sent "$http_referer" '
                    '"$http_user_agent" "$http_x_forwarded_for"';
    access_log /dev/stdout main;
    sendfile on;
    keepalive_timeout 65;
${server}}
`;
}

const PROXIED = `proxy_pass http://registry:5000;
            proxy_set_header Host $http_host;
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_read_timeout 900;`;

/** distribution's own recipe of 2015, as guides still copy it: everything as nginx has it by default. */
const GUIDE = `    server {
        listen 443 ssl;
        server_name ${NAME};
        ssl_certificate /tls/fullchain.pem;
        ssl_certificate_key /tls/privkey.pem;
        ssl_protocols TLSv1 TLSv1.1 TLSv1.2;
        ssl_ciphers HIGH:!aNULL:!MD5;
        client_max_body_size 0;
        chunked_transfer_encoding on;
        location /v2/ {
            ${PROXIED}
        }
    }
`;

const ANCESTOR = `    server {
        listen 443 ssl;
        http2 on;
        server_name ${NAME};
        ssl_certificate /tls/fullchain.pem;
        ssl_certificate_key /tls/privkey.pem;
        ssl_buffer_size 8k;
        client_max_body_size 2000M;
        location / {
            ${PROXIED}
        }
    }
`;

const CADDYFILE = `${NAME} {
    tls /tls/fullchain.pem /tls/privkey.pem
    reverse_proxy registry:5000
}
`;
