//! What hosts of documents may answer, how long they may take, and what nobody learns of them.

use super::{ID, TOLD, asked, described, in_worlds, is_refused, is_taken, is_unconnected};
use crate::support::{
    certificate::Certificate,
    free_port,
    sign_in::{Answer, Site},
    until,
    world::{HOST, OTHER, PUBLIC, Reply, World, description},
};
use flate2::{Compression, write::GzEncoder};
use std::{
    io::Write as _,
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpListener, sync::Semaphore, time::timeout};

const JSON: &str = "content-type: application/json";

/// Refused, and not for longer than it is so.
async fn is_refused_for_now(site: &Site, world: &World, reply: Reply) {
    world.publish(ID, reply);
    let answer = is_refused(site, ID).await;
    assert!(answer.text.contains(TOLD), "{answer:?}");
}

#[tokio::test]
async fn cimd_09_no_redirect_is_followed() {
    let elsewhere = "https://evil.example/oauth/client.json";
    in_worlds(&[], async |site, world| {
        world.publish(elsewhere, Reply::document(&description(ID), "max-age=60"));
        for status in [301, 302, 303, 307, 308] {
            for location in [elsewhere, "http://127.0.0.1/", "https://10.0.0.1/", "/other"] {
                let body = description(ID).to_string();
                let reply = Reply::new(status, &[JSON, &format!("location: {location}")], body);
                is_refused_for_now(site, world, reply).await;
            }
        }
        assert!(world.requests().iter().all(|request| request.address == ID), "{:?}", world.requests());
        assert_eq!((world.requests().len(), world.connections()), (20, 20));
    })
    .await;
}

#[tokio::test]
async fn cimd_10_only_status_200_is_a_document_and_no_other_is_kept() {
    in_worlds(&[], async |site, world| {
        for status in [201, 202, 203, 204, 206, 304, 400, 403, 404, 410, 429, 500, 503] {
            let head = [JSON, "cache-control: max-age=86400"];
            let body = if matches!(status, 204 | 304) { String::new() } else { description(ID).to_string() };
            is_refused_for_now(site, world, Reply::new(status, &head, body)).await;
        }
        let asked = world.requests().len();
        assert_eq!(asked, 13, "each was asked for");
        world.publish_usual(ID);
        is_taken(site, ID).await;
        assert_eq!(world.requests().len(), asked + 1);
    })
    .await;
}

/// A description that is so many bytes long.
fn of_length(length: usize) -> String {
    let mut document = description(ID);
    document["more"] = "".into();
    let more = length - document.to_string().len();
    document["more"] = "x".repeat(more).into();
    document.to_string()
}

#[tokio::test]
async fn cimd_11_a_document_has_five_kilobytes_whatever_its_head_says() {
    in_worlds(&[], async |site, world| {
        is_refused_for_now(site, world, Reply::new(200, &[JSON], of_length(5 * 1024 + 1))).await;
        let chunked = format!("HTTP/1.1 200 OK\r\n{JSON}\r\ntransfer-encoding: chunked\r\n\r\n");
        let endless = Reply::raw(chunked.clone()).then_repeat(format!("400\r\n{}\r\n", " ".repeat(0x400)));
        is_refused_for_now(site, world, endless).await;
        let endless = Reply::raw(format!("HTTP/1.1 200 OK\r\n{JSON}\r\n\r\n")).then_repeat([b' '; 1024]);
        is_refused_for_now(site, world, endless).await;
        let head = Reply::raw("HTTP/1.1 200 OK\r\n").then_repeat("x: y\r\n");
        is_refused_for_now(site, world, head).await;
        for (length, body) in [(20, of_length(6_000)), (100_000, of_length(1_000)), (100_000, of_length(6_000))] {
            let lie = format!("HTTP/1.1 200 OK\r\n{JSON}\r\ncontent-length: {length}\r\n\r\n{body}");
            is_refused_for_now(site, world, Reply::raw(lie)).await;
        }
        let twice = format!("HTTP/1.1 200 OK\r\n{JSON}\r\ncontent-length: 10\r\ncontent-length: 900\r\n\r\n");
        is_refused_for_now(site, world, Reply::raw(twice + &of_length(900))).await;
        world.publish(ID, Reply::new(200, &[JSON], of_length(5 * 1024)));
        is_taken(site, ID).await;
    })
    .await;
}

#[tokio::test]
async fn cimd_12_nothing_is_decompressed() {
    let compressed = |text: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    };
    let spaces = vec![b' '; 2_000_000];
    let bomb = compressed(&[description(ID).to_string().as_bytes(), &spaces].concat());
    in_worlds(&[], async |site, world| {
        for body in [compressed(description(ID).to_string().as_bytes()), bomb.clone()] {
            for encoding in ["gzip", "x-gzip", "deflate", "br", "zstd", "identity, gzip"] {
                let encoding = format!("content-encoding: {encoding}");
                is_refused_for_now(site, world, Reply::new(200, &[JSON, &encoding], &body)).await;
            }
        }
        // Also where it would not need to be undone.
        let encoded = Reply::new(200, &[JSON, "content-encoding: gzip"], description(ID).to_string());
        is_refused_for_now(site, world, encoded).await;
        for request in world.requests() {
            assert!(request.head.contains("accept-encoding: identity\r\n"), "{request:?}");
            assert!(!request.head.contains("gzip") && !request.head.contains("cookie"), "{request:?}");
        }
    })
    .await;
}

/// Asks for the document while `meanwhile` plays its host.
async fn asked_while(site: &Site, world: &World, reply: Reply, meanwhile: impl AsyncFnOnce()) -> Answer {
    let before = world.connections();
    world.publish(ID, reply);
    let asked = async {
        tokio::join!(is_refused(site, ID), async {
            until("the host is asked", async || world.connections() > before).await;
            meanwhile().await;
        })
    };
    timeout(Duration::from_mins(1), asked).await.expect("the host is given up").0
}

#[tokio::test]
async fn cimd_13_a_slow_host_has_five_seconds_in_all() {
    in_worlds(&[], async |site, world| {
        let whole = format!("HTTP/1.1 200 OK\r\n{JSON}\r\ncontent-length: 1000\r\n\r\n{}", of_length(1_000));
        // Nothing at all; half a head; half a body.
        for length in [0, 10, 200] {
            let asked = world.requests().len();
            asked_while(site, world, Reply::raw(&whole.as_bytes()[..length]).then_wait(), async || {
                until("the host has read", async || world.requests().len() > asked).await;
                site.clock.advance(Duration::from_secs(5));
            })
            .await;
        }
        // A byte a second: each is progress, and none gives more time.
        let pace = Arc::new(Semaphore::new(100));
        let paced = Reply::raw(whole.as_bytes()).paced(&pace);
        asked_while(site, world, paced, async || {
            until("the body has begun", async || pace.available_permits() == 0).await;
            for _ in 0..5 {
                pace.add_permits(1);
                until("a byte is sent", async || pace.available_permits() == 0).await;
                site.clock.advance(Duration::from_secs(1));
            }
        })
        .await;
        // One that answers in time is taken, however slowly.
        let pace = Arc::new(Semaphore::new(100));
        world.publish(ID, Reply::raw(whole.as_bytes()).paced(&pace));
        tokio::join!(is_taken(site, ID), async {
            until("the body has begun", async || pace.available_permits() == 0).await;
            site.clock.advance(Duration::from_millis(4_999));
            assert_eq!(site.get("/livez").await.status, 200);
            pace.add_permits(10_000);
        });
    })
    .await;
}

#[tokio::test]
async fn cimd_14_a_document_is_one_json_object_and_nothing_near_it() {
    let good = description(ID).to_string();
    let field = |field: &str| good.replacen('{', &format!("{{{field},"), 1);
    let bodies: Vec<Vec<u8>> = vec![
        "<html>".into(),
        format!("[{good}]").into(),
        format!("[\"{ID}\",\"x\",[\"https://client.example/callback\"],\"none\"]").into(),
        "\"text\"".into(),
        "null".into(),
        String::new().into(),
        format!("{good} {good}").into(),
        field(&format!("\"client_id\":\"{ID}\"")).into(),
        field("\"redirect_uris\":[\"https://client.example/callback\"]").into(),
        field("\"client_name\":\"x\"").into(),
        [b"\xef\xbb\xbf", good.as_bytes()].concat(),
        [b"{\"client_name\":\"\xff\xfe\",", &good.as_bytes()[1..]].concat(),
        [b"{\"ignored\":\"\xff\xfe\",", &good.as_bytes()[1..]].concat(),
        good.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        field(&format!("\"ignored\":{}{}", "[".repeat(1_000), "]".repeat(1_000))).into(),
        good.replace('}', ",}").into(),
        good.replace('"', "'").into(),
    ];
    in_worlds(&[], async |site, world| {
        for body in &bodies {
            is_refused_for_now(site, world, Reply::new(200, &[JSON], body)).await;
        }
        for kind in
            ["text/html", "text/plain", "application/x-json", "application/json-seq", "", "json", "text/json+json"]
        {
            let reply = Reply::new(200, &[&format!("content-type: {kind}")], &good);
            is_refused_for_now(site, world, reply).await;
        }
        is_refused_for_now(site, world, Reply::new(200, &[], &good)).await;
        for kind in ["application/json", "Application/JSON; charset=utf-8", "application/oauth-client+json"] {
            world.publish(ID, Reply::new(200, &[&format!("content-type: {kind}"), "cache-control: no-store"], &good));
            is_taken(site, ID).await;
            site.clock.advance(Duration::from_secs(30));
        }
    })
    .await;
}

/// Ended when it is dropped.
struct OldHost(Child);

impl Drop for OldHost {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A host that speaks nothing newer than TLS 1.0.
async fn old_host(certificate: &Certificate) -> (OldHost, SocketAddr) {
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let mut command = Command::new("openssl");
    command.args([
        "s_server",
        "-quiet",
        "-www",
        "-tls1",
        "-cipher",
        "ALL:@SECLEVEL=0",
        "-accept",
        &address.to_string(),
    ]);
    command.arg("-cert").arg(certificate.chain()).arg("-key").arg(certificate.key());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let host = OldHost(command.spawn().unwrap_or_else(|error| panic!("openssl ({error}): tests/run installs it")));
    until("it listens", async || tokio::net::TcpStream::connect(address).await.is_ok()).await;
    (host, address)
}

#[tokio::test]
async fn cimd_24_a_host_shows_a_certificate_of_its_name_that_is_valid_and_speaks_a_safe_tls() {
    in_worlds(&[], async |site, world| {
        world.publish_usual(ID);
        let (own, stranger) = (world.certificate(), Certificate::of(&[HOST]));
        let wrong_name = Certificate::of(&["other.example"]);
        let hosts = [
            ("expired", own.expired(&[HOST]), own.key()),
            ("an unknown authority", stranger.chain(), stranger.key()),
            ("another name and authority", wrong_name.chain(), wrong_name.key()),
        ];
        world.name(HOST, &[&[OTHER]]);
        for (what, chain, key) in hosts {
            world.place(OTHER, world.host_with(&chain, &key).await);
            let answer = is_refused(site, ID).await;
            assert!(answer.text.contains(TOLD), "{what}: {answer:?}");
        }
        // Valid, and of the right authority, but of another name.
        let unnamed = "https://unnamed.example/oauth/client.json";
        world.publish_usual(unnamed);
        world.name("unnamed.example", &[&[PUBLIC]]);
        is_refused(site, unnamed).await;
        let (_child, old) = old_host(own).await;
        world.place(OTHER, old);
        is_refused(site, ID).await;
        assert!(world.requests().is_empty(), "no request was sent: {:?}", world.requests());
        world.name(HOST, &[&[PUBLIC]]);
        is_taken(site, ID).await;
    })
    .await;
}

#[tokio::test]
async fn cimd_27_what_lies_behind_an_address_is_told_to_nobody() {
    in_worlds(&[], async |site, world| {
        let mut answers = vec![is_refused(site, "https://client.example:8443/oauth/client.json").await];
        answers.push(is_refused(site, "https://nowhere.example/oauth/client.json").await);
        world.name(HOST, &[&["10.0.0.1"]]);
        answers.push(is_refused(site, ID).await);
        is_unconnected(world, "an inner address");
        world.name(HOST, &[&[OTHER]]);
        // A port at which nobody listens, one that closes at once, and one that says nothing.
        world.place(OTHER, SocketAddr::from(([127, 0, 0, 1], free_port())));
        answers.push(is_refused(site, ID).await);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        world.place(OTHER, listener.local_addr().unwrap());
        let (closed, ()) = tokio::join!(is_refused(site, ID), async { drop(listener.accept().await.unwrap()) });
        answers.push(closed);
        let (silent, _held) = tokio::join!(is_refused(site, ID), async {
            let held = listener.accept().await.unwrap();
            site.clock.advance(Duration::from_secs(5));
            held
        });
        answers.push(silent);
        world.name(HOST, &[&[PUBLIC]]);
        for reply in [Reply::new(404, &[], "x"), Reply::new(200, &[JSON], "{}"), Reply::raw("SSH-2.0-x\r\n")] {
            world.publish(ID, reply);
            answers.push(is_refused(site, ID).await);
        }
        let [first, rest @ ..] = answers.as_slice() else { panic!("no answers") };
        assert!(first.text.contains(TOLD), "{first:?}");
        for other in rest {
            assert_eq!((other.status, &other.text), (first.status, &first.text));
        }
        let answer = asked(site, &described(ID)).await;
        assert_eq!((answer.status, &answer.text), (first.status, &first.text));
    })
    .await;
}
