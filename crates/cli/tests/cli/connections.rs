//! Ways to a registry that are closed, lead elsewhere, or want a password that is not theirs.

use wharf_testing::script::{Reply, ScriptServer, Step};

use crate::scene::{MANIFEST, PULL, Scene, serve};
use crate::tls::TlsFront;

const CREDENTIAL: [(&str, &str); 2] = [("WHARF_USERNAME", "jo"), ("WHARF_PASSWORD", "hunter2")];
/// `jo:hunter2` in base64.
const BASIC: &str = "Basic am86aHVudGVyMg==";

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_port_is_named() {
    let mut scene = Scene::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    scene.session.hide(address.to_string(), "[REGISTRY]");
    let output = scene.session.run(&PULL.replace("HOST", &address.to_string()));
    scene.assert_failed(&output);
    insta::assert_snapshot!("connections_closed", scene.session.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_spoken_where_it_is_expected_and_trusted() {
    let mut scene = Scene::new();
    let steps = scene.blob([Reply::new(200).body(scene.component.clone())]);
    let server = ScriptServer::start(steps.into_iter().map(|step| step.times(2))).await;
    let front = front(&mut scene, &server).await;
    let line = PULL.replace("HOST", &front.address.to_string());
    for (remark, line) in [
        ("TLS to a plain server", format!("{PULL} --tls")),
        ("plain HTTP to a TLS server", line.clone()),
        ("TLS to a server of an unknown authority", format!("{line} --tls")),
    ] {
        let output = scene.run_at(&server, remark, &line, &[]);
        scene.assert_failed(&output);
    }
    assert!(server.requests().is_empty());
    for (remark, line) in [
        ("TLS to a server of a given authority", over_tls(PULL, &front)),
        ("TLS to a server of any authority", format!("{line} --insecure")),
    ] {
        assert!(scene.run_at(&server, remark, &line, &[]).status.success());
        assert_eq!(std::fs::read(scene.session.path("kept.wasm")).unwrap(), scene.component);
    }
    server.assert_finished();
    insta::assert_snapshot!("connections_tls", scene.session.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_does_not_follow_a_redirect_to_another_host() {
    let mut scene = Scene::new();
    let content = Reply::new(200).body(scene.component.clone());
    let storage = ScriptServer::start([Step::new("GET /x?signature=s", content).without("authorization")]).await;
    let away = Reply::new(307).header("location", format!("http://{}/x?signature=s", storage.address()));
    let challenge = Reply::new(401).header("www-authenticate", "Basic realm=\"x\"");
    let server = ScriptServer::start([
        Step::new(MANIFEST, challenge),
        Step::new(MANIFEST, serve(&scene.manifest)).with("authorization", BASIC),
        Step::new(&scene.blob_line(), away).with("authorization", BASIC),
    ])
    .await;
    let output = scene.run_at(&server, "a redirect to storage", "pull HOST/acme/hello:1.0.0 -o new.wasm", &CREDENTIAL);
    assert!(output.status.success(), "{}", scene.session.transcript());
    assert_eq!(std::fs::read(scene.session.path("new.wasm")).unwrap(), scene.component);
    server.assert_finished();
    storage.assert_finished();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_that_leads_astray_is_not_followed() {
    let mut scene = Scene::new();
    let around = Reply::new(302).header("location", "/v2/acme/hello/manifests/1.0.0");
    scene.fail("a loop", vec![Step::new(MANIFEST, around).times(6)]).await;
    let (manifest, line) = (scene.manifest(), scene.blob_line());
    let to = |location: &str| {
        let away = Step::new(&line, Reply::new(307).header("location", location));
        vec![manifest.clone(), away]
    };
    let steps = [
        ("to a file", to("file:///etc/passwd")),
        ("to a place with a user name", to("http://jo:hunter2@storage.example/x")),
        ("to nowhere", scene.blob([Reply::new(307)])),
    ];
    for (remark, steps) in steps {
        scene.fail(remark, steps).await;
    }
    let plain = ScriptServer::start([]).await;
    let server = ScriptServer::start(to(&format!("http://{}/x", plain.address()))).await;
    scene.session.hide(plain.address().to_string(), "[PLAIN]");
    let front = front(&mut scene, &server).await;
    let output = scene.run_at(&server, "from HTTPS to plain HTTP", &over_tls(PULL, &front), &[]);
    scene.assert_failed(&output);
    assert!(plain.requests().is_empty());
    insta::assert_snapshot!("connections_redirects", scene.session.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_does_not_go_to_a_token_server_that_is_not_the_registrys() {
    let mut scene = Scene::new();
    let thief = ScriptServer::start([]).await;
    let port = thief.address().port();
    scene.session.hide(format!("localhost:{port}"), "[THIEF]");
    let challenge = |realm: &str| {
        let value = format!(r#"Bearer realm="{realm}",service="registry""#);
        [Step::new(MANIFEST, Reply::new(401).header("www-authenticate", value))]
    };
    let elsewhere = challenge(&format!("http://localhost:{port}/token"));
    let realms = [
        ("another host", elsewhere.clone()),
        ("a user name", challenge("http://jo@{authority}/token")),
        ("no HTTP", challenge("ftp://{authority}/token")),
        ("no URL", challenge("http://[")),
    ];
    for (remark, steps) in realms {
        let server = ScriptServer::start(steps).await;
        let output = scene.run_at(&server, remark, PULL, &CREDENTIAL);
        scene.assert_failed(&output);
        server.assert_finished();
    }
    let server = ScriptServer::start(elsewhere).await;
    let front = front(&mut scene, &server).await;
    let output = scene.run_at(&server, "plain HTTP, named by a registry with TLS", &over_tls(PULL, &front), &[]);
    scene.assert_failed(&output);
    assert!(thief.requests().is_empty());
    insta::assert_snapshot!("connections_realms", scene.session.transcript());
}

/// Puts TLS in front of a server, and the certificate of its authority into the home.
async fn front(scene: &mut Scene, server: &ScriptServer) -> TlsFront {
    let front = TlsFront::start(server.address()).await;
    scene.session.hide(front.address.to_string(), "[TLS]");
    scene.write("authority.pem", &front.authority);
    front
}

/// Lets a line speak to what stands in front of its server.
fn over_tls(line: &str, front: &TlsFront) -> String {
    line.replace("HOST", &front.address.to_string()) + " --ca-file authority.pem"
}
