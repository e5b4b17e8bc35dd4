import { Readable } from 'node:stream';
import { DeleteObjectCommand, GetObjectCommand, NoSuchKey, S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { type FileKey, pathOf } from './file-key.ts';
import type { FileStore } from './file-store.ts';
import type { S3StoreConfig } from './file-store-config.ts';

/** Keeps files in a bucket of an S3-compatible store. */
export const createS3Store = ({ bucket: Bucket, url, region, accessKey, secretKey }: S3StoreConfig): FileStore => {
  const client = new S3Client({
    endpoint: url,
    region,
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
    // Names of buckets need not be names of hosts.
    forcePathStyle: true,
  });
  const at = (key: FileKey) => ({ Bucket, Key: pathOf(key) });
  return {
    put: async (key, content, signal) => {
      let bytes = 0;
      const counted = async function* () {
        for await (const piece of content) {
          bytes += piece.length;
          yield piece;
        }
      };
      // What is broken off is given up at the store as well, so an object is whole or not there.
      const upload = new Upload({ client, params: { ...at(key), Body: Readable.from(counted(), { objectMode: false }) }, queueSize: 1 });
      const stop = () => void upload.abort();
      signal?.addEventListener('abort', stop, { once: true });
      try {
        signal?.throwIfAborted();
        await upload.done();
        return bytes;
      } finally {
        signal?.removeEventListener('abort', stop);
      }
    },
    open: async (key) => {
      try {
        const { Body } = await client.send(new GetObjectCommand(at(key)));
        return Body as unknown as AsyncIterable<Uint8Array>;
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        throw error;
      }
    },
    remove: async (key) => {
      await client.send(new DeleteObjectCommand(at(key)));
    },
    close: () => client.destroy(),
  };
};
