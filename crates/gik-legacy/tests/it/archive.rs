//! Archives: those of the older workflow, and hostile ones.

use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use gik_core::Result;
use gik_legacy::{KeyValueFile, MappingArchive, inputs};
use tempfile::TempDir;

/// The names of the tables in an archive, and whether each could be read.
fn read(path: &Path) -> Result<Vec<(String, bool)>> {
    let mut names = Vec::new();
    let files = inputs(&[path.display().to_string()])?;
    for file in files {
        file.read()?.each(&mut |name, table: Result<&KeyValueFile>| {
            let name = name.split('!').next_back().unwrap().to_owned();
            names.push((name, table.is_ok()));
            Ok(())
        })?;
    }
    Ok(names)
}

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR")))
}

#[test]
fn the_archive_of_the_first_stage() {
    let names = read(&fixture("ecmwf/ecmwf_20260106_00z_efficient.zip")).unwrap();
    assert_eq!(names.len(), 4);
    assert!(names.iter().all(|(_, is_read)| *is_read), "{names:?}");
    assert!(names.iter().any(|(name, _)| name.ends_with("members/ens_13/ens_13.parquet")));
}

#[test]
fn the_template_archive_of_ecmwf() {
    let names = read(&fixture("gik-fmrc-v2ecmwf_fmrc.tar.gz")).unwrap();
    assert_eq!(names.len(), 3);
    assert!(names.iter().all(|(_, is_read)| *is_read), "{names:?}");
}

/// A tar.gz of entries with these names and contents, and the length that the header says.
fn tar_gz(folder: &TempDir, entries: &[(&str, &[u8], u64)]) -> PathBuf {
    let path = folder.path().join("archive.tar.gz");
    let mut gz = GzEncoder::new(std::fs::File::create(&path).unwrap(), Compression::best());
    for (name, content, length) in entries {
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(*length);
        header.set_mode(0o644);
        header.set_entry_type(tar::EntryType::Regular);
        header.set_cksum();
        gz.write_all(header.as_bytes()).unwrap();
        gz.write_all(content).unwrap();
        gz.write_all(&vec![0; content.len().next_multiple_of(512) - content.len()]).unwrap();
    }
    gz.finish().unwrap();
    path
}

fn zip(folder: &TempDir, entries: &[(&str, &[u8])]) -> PathBuf {
    let path = folder.path().join("archive.zip");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    for (name, content) in entries {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap();
    path
}

#[test]
fn names_that_climb_out_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["../x.parquet", "/etc/x.parquet", "a/../../x.parquet", "..\\x.parquet", "C:\\x"] {
        for archive in
            [tar_gz(&folder, &[(name, b"x", 1)]), zip(&folder, &[("ok.json", b"{}"), (name, b"x")])]
        {
            let error = read(&archive).unwrap_err().to_string();
            let shown = name.escape_debug().to_string();
            assert!(error.contains("names within its folder") && error.contains(&shown), "{error}");
        }
    }
}

#[test]
fn entries_that_expand_a_thousandfold_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let zeros = vec![0; 64 << 20];
    for archive in [
        tar_gz(&folder, &[("bomb.parquet", &zeros, zeros.len() as u64)]),
        zip(&folder, &[("bomb.parquet", &zeros)]),
        // What nobody wants is not expanded for nothing, either.
        zip(&folder, &[("bomb.json", &zeros)]),
    ] {
        assert!(archive.metadata().unwrap().len() < 100_000);
        let error = read(&archive).unwrap_err().to_string();
        assert!(error.contains("bomb.") && error.contains("more than the limit"), "{error}");
    }
}

#[test]
fn endless_and_broken_entries_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let endless = tar_gz(&folder, &[("long.parquet", b"x", 1 << 32)]);
    assert!(read(&endless).unwrap_err().to_string().contains("long.parquet"));
    // Small entries without end: each of them counts.
    let megabyte = vec![0; 1 << 20];
    let many: Vec<_> = (0..40).map(|_| ("many.json", &megabyte[..], 1 << 20)).collect();
    let error = read(&tar_gz(&folder, &many)).unwrap_err().to_string();
    assert!(error.contains("many.json") && error.contains("more than the limit"), "{error}");
    for bytes in [&b"PK"[..], b"PK\x03\x04", &[0x1f, 0x8b], &[0x1f, 0x8b, 8, 0, 1, 2, 3]] {
        let path = folder.path().join("broken.zip");
        std::fs::write(&path, bytes).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("broken.zip"), "{bytes:?}");
    }
    // Of an archive that is cut off no entry is half read.
    let whole = std::fs::read(fixture("gik-fmrc-v2ecmwf_fmrc.tar.gz")).unwrap();
    for end in (0..whole.len()).step_by(501) {
        let path = folder.path().join("cut.tar.gz");
        std::fs::write(&path, &whole[..end]).unwrap();
        if let Ok(names) = read(&path) {
            assert!(names.iter().all(|(_, is_read)| *is_read), "{end}");
        }
    }
}

#[test]
fn what_names_nothing_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["missing.parquet", "*.parquet", "", "[", "sub"] {
        std::fs::create_dir_all(folder.path().join("sub")).unwrap();
        let argument = format!("{}/{name}", folder.path().display());
        let error = inputs(&[argument]).unwrap_err().to_string();
        assert!(error.contains("pattern"), "{error}");
    }
    for name in ["b.parquet", "a.par", "note.txt", "sub/c.parquet"] {
        std::fs::write(folder.path().join(name), b"").unwrap();
    }
    let found = |argument: &str| {
        let files = inputs(&[format!("{}{argument}", folder.path().display())]).unwrap();
        let names = files.iter().map(|file| file.path().file_name().unwrap().to_owned());
        names.map(|name| name.into_string().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(found(""), ["a.par", "b.parquet", "c.parquet"]);
    assert_eq!(found("/*.par*"), ["a.par", "b.parquet"]);
}

#[test]
fn what_is_no_archive_is_told_by_its_first_bytes() {
    let folder = TempDir::new().unwrap();
    let said = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        MappingArchive::read(&path).unwrap_err().to_string()
    };
    let error = said("a.tar.gz", b"GRIB\0\x01");
    assert!(error.contains("zip, or tar packed with gzip") && error.contains("'GRIB'"), "{error}");
    let error = said("a.tsv", b"name\tunits\n");
    assert!(error.contains("a.tsv") && error.contains("gik build --template"), "{error}");
}
