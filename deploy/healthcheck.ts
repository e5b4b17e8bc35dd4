import { connect } from 'node:http2';

// The health check of an image: of a service by the standard gRPC health service, of the gateway by /readyz.
const answersHttp = async (port: string): Promise<boolean> =>
  (await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(2000) })).ok;

// HealthCheckRequest{} and HealthCheckResponse{status: SERVING}, as messages with their length.
const request = Buffer.from([0, 0, 0, 0, 0]);
const serving = Buffer.from([0, 0, 0, 0, 2, 0x08, 0x01]);

const answersGrpc = (port: string): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const session = connect(`http://127.0.0.1:${port}`).on('error', reject);
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

const { LISTEN, PORT } = process.env;
const healthy = LISTEN ? answersGrpc(LISTEN.slice(LISTEN.lastIndexOf(':') + 1)) : answersHttp(PORT ?? '');
process.exit((await healthy.catch(() => false)) ? 0 : 1);
