import { expect, test } from 'vitest';
import { readTraffic } from './traffic.ts';

/** As distribution 2.8.3 writes it. */
const FIGURES = `# HELP registry_http_in_flight_requests The in-flight HTTP requests
# TYPE registry_http_in_flight_requests gauge
registry_http_in_flight_requests{handler="base"} 0
registry_http_in_flight_requests{handler="blob"} 7
registry_http_in_flight_requests{handler="blob_upload"} 1
registry_http_in_flight_requests{handler="blob_upload_chunk"} 2
registry_http_in_flight_requests{handler="manifest"} 5
registry_http_requests_total{code="200",handler="base",method="get"} 100
registry_http_requests_total{code="201",handler="blob_upload_chunk",method="put"} 3
registry_http_requests_total{code="201",handler="manifest",method="put"} 4
registry_http_requests_total{code="202",handler="blob_upload",method="post"} 1.2e+03
registry_http_requests_total{code="202",handler="manifest",method="delete"} 1
`;

test('uploads on their way are counted, and requests that wrote; pulls are not', () => {
  expect(readTraffic(FIGURES)).toEqual({ uploads: 3, written: 1208 });
});

test('a registry that nobody has written to has written nothing', () => {
  const fresh = FIGURES.split('\n')
    .filter((line) => !line.includes('requests_total'))
    .join('\n');
  expect(readTraffic(fresh)).toEqual({ uploads: 3, written: 0 });
});

test.each(['', '404 page not found\n', 'go_goroutines 12\n'])('%j says nothing about uploads', (text) => {
  expect(readTraffic(text)).toBeUndefined();
});
