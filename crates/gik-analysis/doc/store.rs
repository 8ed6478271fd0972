// Of the crate's examples: a store of two members, 24 hours and the rain of a generated run, made
// anew for each.
fn store(work: impl AsyncFnOnce(&gik_icechunk::Opened) -> gik_core::Result<()>) {
    use gik_core::Parser;

    let folder = tempfile::tempdir().unwrap();
    let bucket = folder.path().join("bucket");
    let time = "2025-01-06T00".parse().unwrap();
    let run = gik_testkit::gefs::GefsRun::new(time).members(0..=1).steps(0..=24);
    let run = run.detail(gik_testkit::gefs::Detail::Coarse);
    run.write_messages(&bucket, &["tp"]).unwrap();

    let root = url::Url::from_directory_path(&bucket).unwrap();
    let mut stores = gik_core::ObjectStoreRegistry::default();
    let files = object_store::local::LocalFileSystem::new_with_prefix(&bucket).unwrap();
    stores.register(&root, std::sync::Arc::new(files)).unwrap();
    let mut reader = gik_core::SourceReader::new(stores);
    let mut request = gik_core::RunRequest::new(time);
    request.members = Some("0-1".parse().unwrap());
    request.steps = Some("0-24".parse().unwrap());
    request.variables = Some(vec!["tp".to_owned()]);
    request.source = Some(root.clone());
    let parser = gik_gefs::GefsParser;
    let run = parser.run(&request).unwrap();
    let location = folder.path().join("store").display().to_string().parse().unwrap();
    let s3 = gik_icechunk::S3Settings::default();
    let container = gik_icechunk::Container {
        name: "gefs".to_owned(),
        url_prefix: root.to_string(),
        access: gik_icechunk::Access::Local,
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let options = gik_core::BuildOptions::default();
        let built =
            gik_core::build_manifest(&parser, &run, &options, &mut reader, &|_, _| {}).await;
        let (manifest, _) = built.unwrap();
        let patience = std::time::Duration::ZERO;
        let writer = gik_icechunk::Writer::open(&location, &s3, patience).await.unwrap();
        let options = gik_icechunk::WriteOptions::default();
        writer.add(&[&manifest], &[container], &options).await.unwrap();
        let allowed = [root.to_string()];
        let repository = gik_icechunk::Repository::open(&location, &s3, &allowed).await.unwrap();
        let opened = repository.main().await.unwrap();
        work(&opened).await.unwrap();
    });
}
