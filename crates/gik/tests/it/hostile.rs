//! Stores and messages that are not what they should be: an error, never a panic.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::desk::{Desk, assert_same, files_below};
use crate::run::{Run, SOILW, T2M, TP};

fn desk_with(run: &Run) -> Desk {
    let desk = Desk::new();
    run.write(&desk.path("bucket"));
    desk.build(&format!("{} --source bucket --store store", run.options())).exits(0);
    desk
}

/// Writes over a file and sets its time back.
fn tamper(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let modified = fs::metadata(path).unwrap().modified().unwrap();
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
    File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
}

#[test]
fn garbage_in_the_place_of_a_store() {
    let desk = Desk::new();
    for (name, repo) in [
        ("empty", &b""[..]),
        ("text", b"this is no repository\n"),
        ("magic", "ICE🧊CHUNK and then nothing".as_bytes()),
        ("zeros", &[0; 4096]),
        ("ones", &[0xff; 4096]),
    ] {
        fs::create_dir(desk.path(name)).unwrap();
        fs::write(desk.path(name).join("repo"), repo).unwrap();
        desk.gik(&format!("info {name}")).exits(1).says(&[name]);
        desk.gik(&format!("read {name} tp")).exits(1).says(&[name]);
        let left = files_below(&desk.path(name));
        assert_eq!(left, ["repo"]);
    }
    // A folder where the file should be, and a file where the store should be.
    fs::create_dir_all(desk.path("folder/repo")).unwrap();
    desk.gik("info folder").exits(1).says(&["folder"]);
    fs::write(desk.path("file"), "x").unwrap();
    desk.gik("info file").exits(1).says(&["file"]);
    // An old repository (its branch is a file of its own) that ends there.
    fs::create_dir_all(desk.path("old/refs/branch.main")).unwrap();
    fs::write(desk.path("old/refs/branch.main/ref.json"), r#"{"snapshot":"x"}"#).unwrap();
    desk.gik("info old").exits(1).says(&["old"]);
}

#[test]
fn every_file_of_a_store_may_be_damaged() {
    let desk = desk_with(&Run::new(&[0], &[0, 3]));
    let store = desk.path("store");
    let files = files_below(&store);
    for kind in ["repo", "snapshots/", "manifests/"] {
        assert!(files.iter().any(|name| name.starts_with(kind)), "{files:?}");
    }
    for name in files.iter().filter(|name| !name.ends_with('/')) {
        let path = store.join(name);
        let whole = fs::read(&path).unwrap();
        let half = whole.len() / 2;
        let damages: [(&str, Vec<u8>); 5] = [
            ("cut", whole[..half].to_vec()),
            ("empty", Vec::new()),
            ("zeros at the end", [&whole[..half], &vec![0; whole.len() - half][..]].concat()),
            ("noise", whole.iter().zip(0_u32..).map(|(b, i)| noise(*b, i, half)).collect()),
            ("twice", [&whole[..], &whole[..]].concat()),
        ];
        for (damage, bytes) in damages {
            fs::write(&path, bytes).unwrap();
            // Files that reading does not need may be anything: it works then.
            for line in ["info store", "read store tp --sel step=3 --allow bucket"] {
                let outcome = desk.gik(line);
                assert!([0, 1].contains(&outcome.code), "{name} {damage}\n{}", outcome.stderr);
                assert_eq!(outcome.code == 1, !outcome.stderr.is_empty(), "{name} {damage}");
            }
        }
        fs::write(&path, &whole).unwrap();
    }
    desk.gik("read store tp --sel step=3 --allow bucket").exits(0);
}

/// A byte with noise, behind the first half of the header.
fn noise(byte: u8, index: u32, half: usize) -> u8 {
    let noisy = index > 40 && index as usize > half / 2 && index.is_multiple_of(7);
    if noisy { byte ^ (index.wrapping_mul(2_654_435_761) >> 24) as u8 } else { byte }
}

#[test]
fn a_message_that_is_none_is_an_error_that_names_its_chunk() {
    let run = Run::new(&[0], &[3]);
    let desk = desk_with(&run);
    let path = desk.path("bucket").join(run.path(0, 3));
    let (original, index) = run.file(0, 3);
    let bounds = crate::s3::range(&run, T2M, 0, 3);
    let start: usize = bounds["bytes=".len()..].split('-').next().unwrap().parse().unwrap();
    assert!(index.contains(T2M));
    let read = "read store t2m --sel step=3 --allow bucket -o x.npy";
    let chunk = "store/t2m";
    // Not a message at all: the whole file, then its first bytes, then nothing but zeros.
    for (damage, change) in [
        ("magic", (|bytes| bytes[0..4].fill(b'X')) as fn(&mut [u8])),
        ("zeros", |bytes| bytes.fill(0)),
        ("ones", |bytes| bytes.fill(0xff)),
        ("sizes", |bytes| bytes[8..16].fill(0xff)),
        ("edition", |bytes| bytes[7] = 1),
    ] {
        tamper(&path, |bytes| change(&mut bytes[start..]));
        let outcome = desk.gik(read).exits(1).says(&[chunk]);
        assert_eq!(outcome.stdout, "", "{damage}");
        assert!(!desk.path("x.npy").exists(), "{damage}");
        tamper(&path, |bytes| bytes.clone_from(&original));
    }
    // Any byte of the sections: an error, or values of the right shape.
    for at in (16..180).step_by(3) {
        tamper(&path, |bytes| bytes[start + at] ^= 0xff);
        let outcome = desk.gik(read);
        match outcome.code {
            0 => assert_eq!(desk.npy("x.npy").0, [1, 1, 361, 720], "byte {at}"),
            _ => drop(outcome.exits(1).says(&[chunk])),
        }
        tamper(&path, |bytes| bytes.clone_from(&original));
    }
    desk.gik(read).exits(0);
    assert_same(&desk.npy("x.npy").1, &run.values(T2M, 0, 3));
}

#[test]
fn a_file_that_was_overwritten_or_removed_is_not_read_as_if_it_were_the_old_one() {
    let run = Run::new(&[0, 1], &[3]);
    let desk = desk_with(&run);
    let path = desk.path("bucket").join(run.path(0, 3));
    let read = "read store tp --sel member=0 --sel step=3 --allow bucket";
    let later = SystemTime::now() + Duration::from_secs(5);
    File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
    let parts = ["was overwritten since; build the run again", &run.path(0, 3), "store/tp/c/0/0/0"];
    desk.gik(read).exits(1).says(&parts);
    fs::remove_file(&path).unwrap();
    desk.gik(read).exits(1).says(&["store/tp/c/0/0/0"]);
    // The other member is as it was.
    desk.gik(&format!("{} -o x.npy", read.replace("member=0", "member=1"))).exits(0);
    assert_same(&desk.npy("x.npy").1, &run.values(TP, 1, 3));
}

/// A reference may claim gigabytes: nobody fetches them to find out that they are no message.
#[test]
fn a_chunk_longer_than_any_message_is_not_fetched() {
    let run = Run::new(&[0], &[3]);
    let desk = Desk::new();
    run.write(&desk.path("bucket"));
    // The last message reaches to the end of its file.
    let path = desk.path("bucket").join(run.path(0, 3));
    let file = File::options().write(true).open(&path).unwrap();
    file.set_len(3 << 30).unwrap();
    drop(file);
    desk.build(&format!("{} --source bucket --store store", run.options()));
    let (_, index) = run.file(0, 3);
    let last = crate::run::field_of(index.lines().last().unwrap());
    let (long, others): (Vec<_>, Vec<_>) = [("t2m", T2M), ("tp", TP), ("soilw", SOILW)]
        .into_iter()
        .partition(|(_, field)| *field == last);
    // 16 bytes a value and a mebibyte.
    let parts = ["bytes is 322", "more than the limit of 5207296", "/c/0/0/0"];
    for (name, _) in &long {
        desk.gik(&format!("read store {name} --allow bucket")).exits(1).says(&parts);
    }
    for (name, field) in &others {
        desk.gik(&format!("read store {name} --allow bucket -o x.npy")).exits(0);
        assert_same(&desk.npy("x.npy").1, &run.values(field, 0, 3));
    }
    assert_eq!((long.len(), others.len()), (1, 2));
}

/// Nothing of others is removed to make room for a store.
#[test]
fn the_files_of_others_stay() {
    let run = Run::new(&[0], &[0]);
    let desk = Desk::new();
    run.write(&desk.path("bucket"));
    let foreign = ["snapshots/data.txt", "manifests/deploy.yaml", "repo.git/data.txt", "repo.txt"];
    for (number, name) in foreign.iter().enumerate() {
        let path = desk.path(&format!("taken{number}")).join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "precious").unwrap();
        let options = format!("{} --source bucket --store taken{number}", run.options());
        desk.build(&options).exits(2).says(&["already exists"]);
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }
    let server = crate::s3::server();
    let desk = Desk::with(server.env());
    run.write(&desk.path("bucket"));
    server.put("stores", "k8s/manifests/deploy.yaml", "precious").unwrap();
    let options = format!("{} --source bucket --store s3://stores/k8s", run.options());
    desk.build(&options).exits(2).says(&["already exists"]);
    assert_eq!(crate::s3::stored(&server), ["k8s/manifests/deploy.yaml"]);
}

#[test]
fn an_endpoint_that_is_no_url_is_refused() {
    for endpoint in ["127.0.0.1:5123", "localhost:5123", "nowhere"] {
        let desk = Desk::with(vec![("AWS_ENDPOINT_URL", endpoint.to_owned())]);
        desk.gik("info s3://bucket/store").exits(2).says(&["write https://host"]);
        desk.build("--source s3://bucket/ --store store").exits(2).says(&["write https://host"]);
    }
}

/// A store whose metadata claims more chunks than anybody could look up.
#[tokio::test]
async fn shapes_beyond_measure() {
    let run = Run::new(&[0], &[0, 3]);
    let desk = desk_with(&run);
    for shape in
        ["1,2147483648,2147483648,361,720", "1,4294967295,4294967295,4294967295,4294967295"]
    {
        let storage = icechunk::new_local_filesystem_storage(&desk.path("store")).await.unwrap();
        let repository = icechunk::Repository::open(storage).execute().await.unwrap();
        let session = repository.writable_session("main").await.unwrap();
        let session = std::sync::Arc::new(tokio::sync::RwLock::new(session));
        let store = icechunk::Store::from_session(std::sync::Arc::clone(&session)).await;
        let everything = &icechunk::format::ByteRange::ALL;
        let bytes = store.get("t2m/zarr.json", everything).await.unwrap();
        let mut metadata: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let lengths: Vec<u64> = shape.split(',').map(|it| it.parse().unwrap()).collect();
        metadata["shape"] = lengths.into();
        store.set("t2m/zarr.json", metadata.to_string().into()).await.unwrap();
        session.write().await.commit("hostile").execute().await.unwrap();
        let options = format!("{} --source bucket --store store", run.options());
        for line in [
            format!("update gefs --run 2025-01-06T00 {options}"),
            format!("backfill gefs --from 2025-01-06T00 --to 2025-01-06T00 {options}"),
            "validate store --sample 0".to_owned(),
            "info store".to_owned(),
        ] {
            let outcome = desk.gik(&line);
            assert!(outcome.code >= 0, "{line}: {outcome:?}");
        }
    }
}
