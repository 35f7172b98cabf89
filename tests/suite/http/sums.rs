//! Movements summed up, and as CSV.

use super::Scratch;
use super::reports::CSV;
use serde_json::json;

#[tokio::test]
async fn movements_and_their_sums_as_csv() {
    let node = Scratch::new();
    node.shop().await;
    let csv = node.get_with("/stock/movements?storeId=PARIS", &[CSV]).await;
    let name = csv.is(200, "").header("content-disposition");
    assert_eq!(name, Some("attachment; filename=\"movements.csv\""));
    let mut reader = csv::Reader::from_reader(csv.text.as_bytes());
    assert_eq!(reader.headers().unwrap().len(), 17);
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let column = |row: &csv::StringRecord, place: usize| row[place].to_owned();
    let told: Vec<_> = rows.iter().map(|row| (column(row, 4), column(row, 5), column(row, 7))).collect();
    let owned =
        |kind: &str, change: &str, after: &str| (kind.to_owned(), change.to_owned(), after.to_owned());
    assert_eq!(
        told,
        [
            owned("stock-in", "7", "7"),
            owned("count", "-1", "6"),
            owned("adjustment", "-1", "5"),
            owned("sale", "-1", "4")
        ]
    );
    assert_eq!(&rows[2][12], "a \"gift\", free");
    let sums = node.get("/stock/movements/sums?by=kind,store").await;
    let of = |store: &str, kind: &str| {
        let items = sums.json["items"].as_array().unwrap();
        let item = items.iter().find(|item| item["storeId"] == store && item["kind"] == kind);
        item.map(|item| {
            ["movements", "onHand", "reserved"].map(|name| item[name].as_i64().unwrap_or(i64::MIN))
        })
    };
    sums.is(200, "");
    assert_eq!(of("BERLIN", "stock-in"), Some([2, 15, 0]));
    assert_eq!(of("LONDON", "sale"), Some([1, -3, 0]));
    assert_eq!(of("LONDON", "reserve"), Some([1, 0, 4]));
    assert_eq!(of("LONDON", "commit"), Some([1, -1, -1]));
    assert_eq!(of("LONDON", "release"), Some([1, 0, -3]));
    assert_eq!(of("PARIS", "removal"), None);
    let all = node.get("/stock/movements/sums").await;
    let members: Vec<&String> = all.is(200, "").json["items"][0].as_object().unwrap().keys().collect();
    assert_eq!(members.len(), 7, "{members:?}");
    let day = node.get_with("/stock/movements/sums?by=day&kind=sale", &[CSV]).await;
    let line = day.is(200, "").text.lines().nth(1).unwrap().to_owned();
    assert!(line.ends_with(",,,,3,-6,0"), "{line}");
    node.get("/stock/movements/sums?by=week").await.is(400, "invalid-request");
    node.get("/stock/movements/sums?by=day,day").await.is(400, "invalid-request");
}

#[tokio::test]
async fn imported_movements_count_on_the_day_they_happened() {
    let node = Scratch::new();
    let row = |row: u64, kind: &str, quantity: i64, day: &str| {
        json!({"row": row, "storeId": "LONDON", "sku": "TEA", "kind": kind, "quantity": quantity,
               "occurredAt": format!("{day}T10:00:00Z"), "openingStock": 100})
    };
    let rows =
        [row(1, "sale", 2, "2010-12-01"), row(2, "sale", 3, "2010-12-02"), row(3, "return", 1, "2010-12-02")];
    let body = json!({"afterRow": 0, "throughRow": 3, "last": true, "rows": rows});
    node.post("/imports/history/rows", &[], &body.to_string()).await.is(200, "");
    let sums = node.get("/stock/movements/sums?by=day,kind").await;
    let told: Vec<String> = sums.is(200, "").json["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| format!("{} {} {}", item["day"], item["kind"], item["onHand"]).replace('"', ""))
        .collect();
    assert_eq!(
        told,
        ["2010-12-01 sale -2", "2010-12-01 opening 100", "2010-12-02 sale -3", "2010-12-02 return 1"]
    );
}
