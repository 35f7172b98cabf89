//! Columns, found by option or by the names of an export.

use super::args;
use crate::import::table::CsvRecord;
use crate::orders::import::columns::OrderColumns;
use crate::orders::import::row::read;
use csv::ByteRecord;
use onhand_domain::catalogue::Currency;
use onhand_runtime::exit::Exit;
use std::path::Path;
use tempfile::TempDir;

fn find(header: &str, more: &str) -> Result<OrderColumns, (Exit, String)> {
    let directory = TempDir::new().unwrap();
    let args = args(&directory, "", more);
    let header: Vec<String> = header.split(',').map(str::to_owned).collect();
    let found = OrderColumns::find(&header, &args, Path::new("orders.csv"));
    found.map_err(|failure| (failure.exit, failure.error.to_string()))
}

#[test]
fn columns_are_named_or_have_the_names_of_an_export() {
    let usual = find("orderId,sku,qty", "").unwrap();
    assert_eq!((usual.order, usual.sku, usual.quantity, usual.count), (0, 1, 2, 3));
    assert_eq!((usual.price, usual.name, usual.customer, usual.date), (None, None, None, None));
    let exported = find("orderId,customerId,sku,qty,unitPrice,name", "--currency GBP").unwrap();
    assert_eq!((exported.price, exported.name, exported.customer), (Some(4), Some(5), Some(1)));
    let retail = find(
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country",
        "--order-column InvoiceNo --sku-column StockCode --quantity-column Quantity --price-column UnitPrice --currency GBP
         --name-column Description --customer-column CustomerID --date-column InvoiceDate",
    );
    let retail = retail.unwrap();
    assert_eq!((retail.order, retail.sku, retail.quantity, retail.count), (0, 1, 3, 8));
    assert_eq!(
        (retail.price, retail.name, retail.customer, retail.date),
        (Some(5), Some(2), Some(6), Some(4))
    );
}

#[test]
fn what_is_missing_is_said_with_what_to_do() {
    for (header, more, exit, words) in [
        ("order,sku,qty", "", Exit::Data, ["--order-column", "\"orderId\"", "\"order\""]),
        (
            "orderId,sku,qty",
            "--price-column cost",
            Exit::Data,
            ["--price-column", "\"cost\"", "its columns are"],
        ),
        ("orderId,sku,sku,qty", "", Exit::Data, ["--sku-column", "more than once", "qty"]),
        ("orderId,sku,qty,unitPrice", "", Exit::Usage, ["currency", "--currency GBP", "prices"]),
        (
            "orderId,sku,qty",
            "--returns --return-store R",
            Exit::Usage,
            ["--returns", "--customer-column", "same customer"],
        ),
    ] {
        let (code, text) = find(header, more).unwrap_err();
        assert_eq!(code, exit, "{text}");
        assert!(words.iter().all(|word| text.contains(word)), "{header}: {text}");
    }
}

#[test]
fn a_bad_field_refuses_the_row_with_its_code() {
    let columns = find("orderId,customerId,sku,qty,unitPrice,name", "--currency GBP").unwrap();
    let good: [&[u8]; 6] = [b"o-1", b"c-1", b"TEA", b"5", b"2.55", b"Green tea"];
    let long = "n".repeat(257);
    let code = |changed: usize, value: &[u8]| {
        let mut fields = good;
        fields[changed] = value;
        let fields = fields.iter().collect::<ByteRecord>();
        let record = CsvRecord { row: 7, line: 8, fields: &fields };
        read(&record, &columns, Some(Currency::new("GBP").unwrap())).map_err(|misread| {
            let order = misread.order_id.map(|id| id.to_string());
            (order.unwrap_or_default(), misread.error.code())
        })
    };
    let table: &[(usize, &[u8], &str, &str)] = &[
        (0, b" ", "", "invalid-order-id"),
        (0, b"a b", "", "invalid-order-id"),
        (0, b"web.4711", "", "invalid-order-id"),
        (0, b"plan", "", "invalid-order-id"),
        (0, b"o-1.s1", "", "invalid-order-id"),
        (1, b"a b", "o-1", "invalid-customer"),
        (2, b"", "o-1", "invalid-sku"),
        (3, b"0", "o-1", "zero-quantity"),
        (3, b"2.5", "o-1", "invalid-quantity"),
        (4, b"-1", "o-1", "negative-price"),
        (4, b"2.555", "o-1", "invalid-price"),
        (4, b"free", "o-1", "invalid-price"),
        (5, b"a\tb", "o-1", "invalid-name"),
        (5, long.as_bytes(), "o-1", "invalid-name"),
        (5, b"caf\xe9", "o-1", "not-utf-8"),
    ];
    for (field, value, order, expected) in table {
        assert_eq!(code(*field, value).unwrap_err(), ((*order).to_owned(), *expected), "{field} {value:?}");
    }
    let row = code(1, b" ").unwrap();
    assert_eq!((row.customer_id, row.line.unit_price, row.line.pieces.get()), (None, Some(255), 5));
    assert_eq!(code(4, b"0.00").unwrap().line.unit_price, Some(0), "given away");
    assert_eq!(code(4, b"").unwrap().line.unit_price, None, "that of the catalogue");
    assert_eq!(code(3, b"-5").unwrap().line.pieces.get(), -5);
}
