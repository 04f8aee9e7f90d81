//! Archives and artifacts that were made to do harm, or are broken: each is refused, and nothing is written.

use bytes::Bytes;
use wharf::oci::{Descriptor, Digest, ImageIndex, ImageManifest, Manifest, MediaType};
use wharf_testing::fixtures;
use wharf_testing::packing::{gzip, tar};

use crate::scene::Scene;

/// What makes a tar or a folder an OCI layout.
const LAYOUT: (&str, &[u8]) = ("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#);
/// The block that a tar starts a file with.
const HEADER_BYTES: usize = 512;
/// Pulls over a file that is there already.
const PULL: &str = "pull oci-archive:evil.tar --force --output kept.wasm";

/// A file in a tar.
type File = (String, Vec<u8>);

fn archive(files: &[File]) -> Vec<u8> {
    tar(&files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect::<Vec<_>>())
}

fn file(path: &str, bytes: impl Into<Vec<u8>>) -> File {
    (path.to_owned(), bytes.into())
}

fn blob(bytes: &[u8]) -> File {
    file(&format!("blobs/sha256/{}", Digest::sha256(bytes).hex()), bytes)
}

/// Returns the files of an OCI layout whose index names `manifest`, with what the manifest names.
fn layout(manifest: &[u8], blobs: &[&[u8]]) -> Vec<File> {
    let index = ImageIndex::new(vec![Descriptor::of(MediaType::OCI_MANIFEST, manifest)]);
    let index = Manifest::from_index(&index).unwrap().bytes().to_vec();
    let layout = [file(LAYOUT.0, LAYOUT.1), file("index.json", index), blob(manifest)];
    layout.into_iter().chain(blobs.iter().map(|bytes| blob(bytes))).collect()
}

/// Returns a container image that runs `/app.wasm`, with this layer.
fn image(layer: &[u8]) -> Vec<u8> {
    let config = br#"{"config":{"Entrypoint":["/app.wasm"]}}"#;
    let manifest = manifest(config, layer);
    archive(&layout(&manifest, &[config, layer]))
}

fn manifest(config: &[u8], layer: &[u8]) -> Bytes {
    let layers = vec![Descriptor::of(MediaType::OCI_LAYER, layer)];
    let image = ImageManifest::new(Descriptor::of(MediaType::OCI_CONFIG, config), layers);
    Manifest::from_image(&image).unwrap().bytes().clone()
}

/// Changes the first header of a tar, and makes its checksum right again.
fn with_header(mut tar: Vec<u8>, change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let header = &mut tar[..HEADER_BYTES];
    change(header);
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    tar
}

/// Says that the first file of a tar has this size, in the binary form that holds any.
fn with_size(tar: Vec<u8>, size: u64) -> Vec<u8> {
    with_header(tar, |header| {
        header[124..136].fill(0);
        header[124] = 0x80;
        header[128..136].copy_from_slice(&size.to_be_bytes());
    })
}

fn with_type(tar: Vec<u8>, type_flag: u8) -> Vec<u8> {
    with_header(tar, |header| header[156] = type_flag)
}

/// Lets `line` fail on an archive, and checks that it leaves the home as it was.
fn refuse(scene: &mut Scene, remark: &str, archive: &[u8]) {
    scene.session.write("evil.tar", archive);
    scene.session.remark(remark);
    let output = scene.session.run(PULL);
    scene.assert_failed(&output);
    assert_eq!(output.status.code(), Some(2), "{remark}");
}

fn scene() -> Scene {
    let mut scene = Scene::new();
    scene.write("evil.tar", "");
    scene
}

#[test]
fn a_tar_that_reaches_out_of_itself_is_refused() {
    let mut scene = scene();
    let wasm = fixtures::component("hello");
    let good = image(&tar(&[("app.wasm", &wasm)]));
    let evil = |path: &str, bytes: &[u8]| [tar(&[(path, bytes)])[..HEADER_BYTES * 2].to_vec(), good.clone()].concat();
    refuse(&mut scene, "a path that leaves its folder", &evil("blobs/../../evil", b"x"));
    refuse(&mut scene, "an absolute path", &evil("/etc/evil", b"x"));
    let link = tar(&[("index.json", b"-> /etc/passwd")]);
    refuse(&mut scene, "a symbolic link", &[&link[..HEADER_BYTES], &good[..]].concat());
    refuse(&mut scene, "a hard link", &[&with_type(link, b'1')[..HEADER_BYTES], &good[..]].concat());
    let device = with_type(tar(&[("console", b"")]), b'3');
    refuse(&mut scene, "a device", &[&device[..HEADER_BYTES], &good[..]].concat());
    refuse(&mut scene, "a file twice", &evil("oci-layout", LAYOUT.1));
    refuse(&mut scene, "a tar that is cut off", &good[..good.len() - 2000]);
    refuse(&mut scene, "a header with another checksum", &{
        let mut broken = good.clone();
        broken[0] ^= 1;
        broken
    });
    let long = with_size(tar(&[("long", &[b'x'; 2 * HEADER_BYTES])]), 3);
    refuse(&mut scene, "a file that is longer than its header says", &[&long[..3 * HEADER_BYTES], &good[..]].concat());
    refuse(&mut scene, "a file that is shorter than its header says", &with_size(good, 1 << 30));
    insta::assert_snapshot!("hostile_tars", scene.session.transcript());
}

#[test]
fn a_layer_that_reaches_out_of_itself_or_bursts_is_refused() {
    let mut scene = scene();
    let wasm = fixtures::component("hello");
    refuse(&mut scene, "a path that leaves its folder", &image(&tar(&[("../app.wasm", &wasm)])));
    refuse(&mut scene, "an absolute path", &image(&tar(&[("/app.wasm", &wasm)])));
    refuse(&mut scene, "a symbolic link", &image(&tar(&[("app.wasm", b"-> /etc/passwd")])));
    let link = with_type(tar(&[("app.wasm", b"-> /etc/passwd")]), b'1');
    refuse(&mut scene, "a hard link", &image(&link));
    refuse(&mut scene, "a device", &image(&with_type(tar(&[("app.wasm", b"")]), b'4')));
    let bomb = with_size(tar(&[("app.wasm", &vec![0; 1 << 20])]), 1 << 40);
    refuse(&mut scene, "a terabyte in gzip", &image(&gzip(&bomb)));
    refuse(&mut scene, "gzip that is cut off", &image(&gzip(&tar(&[("app.wasm", &wasm)]))[..900]));
    refuse(&mut scene, "a tar that is cut off", &image(&tar(&[("app.wasm", &wasm)])[..600]));
    refuse(&mut scene, "a native program", &image(&tar(&[("app.wasm", b"\x7fELF")])));
    refuse(&mut scene, "neither tar nor Wasm", &image(b"hello"));
    insta::assert_snapshot!("hostile_layers", scene.session.transcript());
}

#[test]
fn a_document_that_two_readers_could_read_in_two_ways_is_refused() {
    let mut scene = scene();
    let wasm = fixtures::component("hello");
    let layer = tar(&[("app.wasm", &wasm)]);
    let config: &[u8] = br#"{"config":{"Entrypoint":["/app.wasm"]}}"#;
    let manifest = manifest(config, &layer);
    let text = std::str::from_utf8(&manifest).unwrap();
    let blobs: [&[u8]; 2] = [config, &layer];
    let refuse_manifest =
        |scene: &mut Scene, remark: &str, text: &str| refuse(scene, remark, &archive(&layout(text.as_bytes(), &blobs)));
    refuse_manifest(&mut scene, "a manifest with a key twice", &text.replacen('{', r#"{"layers":[],"#, 1));
    refuse_manifest(&mut scene, "a manifest that is an index too", &text.replacen('{', r#"{"manifests":[],"#, 1));
    let many = |count: usize| {
        let layer = Descriptor::of(MediaType::OCI_LAYER, &layer);
        let config = Descriptor::of(MediaType::OCI_CONFIG, config);
        let image = ImageManifest::new(config, vec![layer; count]);
        serde_json::to_string(&image).unwrap()
    };
    refuse_manifest(&mut scene, "10,000 layers", &many(10_000));
    refuse_manifest(&mut scene, "9,000 layers", &many(9_000));
    let index = |text: &str| {
        let mut files = layout(&manifest, &blobs);
        files[1].1 = text.as_bytes().to_vec();
        archive(&files)
    };
    let good = String::from_utf8(layout(&manifest, &blobs)[1].1.clone()).unwrap();
    refuse(&mut scene, "an index with a key twice", &index(&good.replacen('{', r#"{"manifests":[],"#, 1)));
    refuse(&mut scene, "an index that is a manifest too", &index(&good.replacen('{', r#"{"layers":[],"#, 1)));
    let size = format!(r#""size":{}"#, manifest.len());
    refuse(&mut scene, "1 GiB of a manifest announced", &index(&good.replace(&size, r#""size":1073741824"#)));
    refuse(&mut scene, "another size announced", &index(&good.replace(&size, r#""size":7"#)));
    let mut files = layout(&manifest, &blobs);
    files[1].1 = vec![b' '; 5 << 20];
    refuse(&mut scene, "an index of 5 MiB", &archive(&files));
    insta::assert_snapshot!("hostile_documents", scene.session.transcript());
}

#[test]
fn content_that_is_not_what_its_digest_says_is_refused() {
    let mut scene = scene();
    let wasm = fixtures::component("hello");
    let layer = tar(&[("app.wasm", &wasm)]);
    let config: &[u8] = br#"{"config":{"Entrypoint":["/app.wasm"]}}"#;
    let manifest = manifest(config, &layer);
    for (index, remark) in [(2, "the manifest"), (3, "the config"), (4, "the layer")] {
        let mut files = layout(&manifest, &[config, &layer]);
        files[index].1[10] ^= 1;
        refuse(&mut scene, &format!("{remark} is another"), &archive(&files));
        files.remove(index);
        scene.session.write("evil.tar", archive(&files));
        scene.session.remark(&format!("{remark} is missing"));
        let output = scene.session.run(PULL);
        scene.assert_failed(&output);
        assert_eq!(output.status.code(), Some(2), "{remark}");
    }
    scene.session.remark("a copy checks it as well");
    let mut files = layout(&manifest, &[config, &layer]);
    files[4].1[10] ^= 1;
    scene.session.write("evil.tar", archive(&files));
    let output = scene.session.run("copy oci-archive:evil.tar oci-archive:copy.tar");
    scene.assert_failed(&output);
    insta::assert_snapshot!("hostile_content", scene.session.transcript());
}

#[test]
fn a_docker_archive_is_read_as_carefully() {
    let mut scene = scene();
    let wasm = fixtures::component("hello");
    let config = br#"{"config":{"Entrypoint":["/app.wasm"]}}"#;
    let layer = tar(&[("app.wasm", &wasm)]);
    let docker =
        |images: &str| archive(&[file("c.json", *config), file("l.tar", layer.clone()), file("manifest.json", images)]);
    let mut refuse = |remark: &str, images: &str| {
        scene.session.write("evil.tar", docker(images));
        scene.session.remark(remark);
        let output = scene.session.run(&PULL.replace("oci-archive", "docker-archive"));
        scene.assert_failed(&output);
        assert_eq!(output.status.code(), Some(2), "{remark}");
    };
    refuse("no list", "{}");
    refuse("nothing in it", "[]");
    refuse("a key twice", r#"[{"Config":"c.json","Config":"c.json","Layers":["l.tar"]}]"#);
    refuse("a path that leaves the archive", r#"[{"Config":"../c.json","Layers":["l.tar"]}]"#);
    refuse("a layer that is not there", r#"[{"Config":"c.json","Layers":["m.tar"]}]"#);
    let many = format!(r#"[{{"Config":"c.json","Layers":[{}"l.tar"]}}]"#, r#""l.tar","#.repeat(10_000));
    refuse("10,001 layers", &many);
    let two = r#"[{"Config":"c.json","RepoTags":["a:1"],"Layers":["l.tar"]},{"Config":"l.tar","RepoTags":["b:1"],"Layers":[]}]"#;
    refuse("two images", two);
    insta::assert_snapshot!("hostile_docker", scene.session.transcript());
}
