import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Contrib, Enums, Models, Serialize, Spec } from '@cyclonedx/cyclonedx-library';
import type { Metafile } from 'esbuild';
import { PackageURL } from 'packageurl-js';
import parseLicense from 'spdx-expression-parse';

const root = join(import.meta.dirname, '../..');

const components = new Contrib.FromNodePackageJson.Builders.ComponentBuilder(
  new Contrib.FromNodePackageJson.Factories.ExternalReferenceFactory(),
  new Contrib.License.Factories.LicenseFactory((expression) => parseLicense(expression)),
);

/** The folders of the packages of others of which code has ended up in a bundle. */
export const packageFolders = ({ outputs }: Metafile): string[] => {
  const used = Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  );
  const folders = used.flatMap(
    (path) => /^.*\bnode_modules\/(?:@[^/]+\/)?[^/]+/.exec(path.slice(path.indexOf('node_modules/')))?.[0] ?? [],
  );
  return [...new Set(folders)].map((folder) => join(root, folder));
};

/** What a bundle is made of, as a CycloneDX document: the same for the same packages, so without a time or a number of its own. */
export const sbomOf = (name: string, folders: string[]): string => {
  const read = (folder: string) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
  const bom = new Models.Bom();
  const image = new Models.Component(Enums.ComponentType.Container, name, {
    group: 'accessops',
    version: read(root).version,
    bomRef: name,
  });
  image.licenses.add(new Models.SpdxLicense('Apache-2.0'));
  bom.metadata.component = image;
  for (const folder of folders) {
    const component = components.makeComponent(read(folder));
    if (!component?.version) throw new Error(`${folder} does not say which package it is`);
    const purl = new PackageURL('npm', component.group, component.name, component.version).toString();
    component.purl = purl;
    component.bomRef.value = purl;
    // One that several packages brought along is one.
    if ([...bom.components].some((other) => other.purl === purl)) continue;
    bom.components.add(component);
    image.dependencies.add(component.bomRef);
  }
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`;
};
