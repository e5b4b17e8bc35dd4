import { readFileSync } from 'node:fs';
import { connect } from 'node:http2';

// The health check of an image: of a service by the standard gRPC health service, of the gateway by /readyz.
const answersHttp = async (port: string): Promise<boolean> =>
  (await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(2000) })).ok;

const { LISTEN, PORT, TLS_CERT_FILE, TLS_KEY_FILE, TLS_CA_FILE } = process.env;

// A process may ask itself, by its own certificate, which is not for the address that is called here.
const tls = TLS_CERT_FILE &&
  TLS_KEY_FILE &&
  TLS_CA_FILE && {
    cert: readFileSync(TLS_CERT_FILE),
    key: readFileSync(TLS_KEY_FILE),
    ca: readFileSync(TLS_CA_FILE),
    checkServerIdentity: () => undefined,
  };

// HealthCheckRequest{} and HealthCheckResponse{status: SERVING}, as messages with their length.
const request = Buffer.from([0, 0, 0, 0, 0]);
const serving = Buffer.from([0, 0, 0, 0, 2, 0x08, 0x01]);

const answersGrpc = (port: string): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const session = (tls ? connect(`https://127.0.0.1:${port}`, tls) : connect(`http://127.0.0.1:${port}`)).on('error', reject);
    const call = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const chunks: Buffer[] = [];
    call.on('data', (chunk: Buffer) => chunks.push(chunk));
    call.on('error', reject);
    call.on('end', () => resolve(Buffer.concat(chunks).equals(serving)));
    call.setTimeout(2000, () => resolve(false));
    call.end(request);
  });

const healthy = LISTEN ? answersGrpc(LISTEN.slice(LISTEN.lastIndexOf(':') + 1)) : answersHttp(PORT ?? '');
process.exit((await healthy.catch(() => false)) ? 0 : 1);
