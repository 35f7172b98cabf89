//! Clients behind proxies: whose word about an address is believed.

use super::super::api::Api;
use super::super::process::Node;
use super::LEVEL;
use tempfile::TempDir;

/// A client of its own for each number, where the header is believed.
fn client(number: usize) -> String {
    format!("203.0.113.{number}")
}

fn node(directory: &TempDir, trusted: &str) -> Node {
    let limits = ["--rate-limit-rps", "1", "--rate-limit-burst", "2"];
    // Nobody logs in here, and a request that was forwarded is never local.
    let options = [&["--insecure", "--trusted-proxies", trusted], &limits[..]].concat();
    Node::start(directory.path(), &options)
}

async fn status(api: &Api, header: &str, value: &str) -> u16 {
    api.get_with(LEVEL, &[(header, value)]).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn each_client_of_a_trusted_proxy_has_its_own_limit() {
    let directory = TempDir::new().unwrap();
    let node = node(&directory, "127.0.0.0/8");
    let api = Api::of(&node);
    while status(&api, "x-forwarded-for", &client(1)).await != 429 {}
    for number in 2..40 {
        let (for_one, rfc) = (client(number), format!("for={};proto=https", client(100 + number)));
        assert_eq!(status(&api, "x-forwarded-for", &for_one).await, 404, "{number}");
        assert_eq!(status(&api, "forwarded", &rfc).await, 404, "{number}");
    }
    // What a client writes itself stands in front of what the proxy writes, and changes nothing.
    let mut limited = 0;
    for number in 0..20 {
        let lie = format!("198.51.100.{number}, {}", client(200));
        limited += u32::from(status(&api, "x-forwarded-for", &lie).await == 429);
    }
    assert!(limited > 0);
    node.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_is_believed() {
    let directory = TempDir::new().unwrap();
    let node = node(&directory, "10.0.0.0/8,::1");
    let api = Api::of(&node);
    for header in ["x-forwarded-for", "forwarded"] {
        let mut limited = 0;
        for number in 0..20 {
            let value =
                if header == "forwarded" { format!("for={}", client(number)) } else { client(number) };
            limited += u32::from(status(&api, header, &value).await == 429);
        }
        assert!(limited > 0, "{header}");
    }
    node.stop();
}
