//! The guides as pages: the list leads to each of them, and nothing on them comes from elsewhere.

use super::{Answer, Scratch};

/// A page that loads nothing.
#[track_caller]
fn is_a_page(answer: &Answer) {
    assert_eq!(answer.is(200, "").header("content-type"), Some("text/html; charset=utf-8"));
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'"), "{policy}");
    assert!(!answer.text.contains("src=") && !answer.text.contains("<script"), "{}", answer.text);
}

#[tokio::test]
async fn the_list_leads_to_every_guide() {
    let node = Scratch::new();
    for (list, folder) in [("/docs/guide", "/docs"), ("/api/docs/guide", "/api/docs")] {
        let page = node.get(list).await;
        is_a_page(&page);
        let links: Vec<&str> = page.text.split("href=\"guide/").skip(1).collect();
        assert!(links.len() > 5, "{list}: {} guides", links.len());
        for link in links.iter().filter_map(|rest| rest.split('"').next()) {
            let guide = node.get(&format!("{folder}/guide/{link}")).await;
            is_a_page(&guide);
            assert!(guide.text.contains("<b>$ onhand serve"), "{link} has no commands");
        }
    }
}

#[tokio::test]
async fn an_unknown_guide_is_a_problem() {
    let node = Scratch::new();
    for path in ["/docs/guide/secret", "/docs/guide/getting-started.md", "/docs/guide/..%2f..%2fCargo.toml"] {
        node.get(path).await.is(404, "not-found");
    }
}
