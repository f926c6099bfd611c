//! Files: up, down, listed, deleted, and whose they are (section 11 and addendum A5).

use gigachat_emulator::{Action, Endpoint, Fault, Options};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::service::{BOTH, Protocol, Service, fault, json_of, prompt, send};

const BOUNDARY: &str = "7342ab05";

fn part(name: &str, more: &str, content: &[u8]) -> Vec<u8> {
    let head =
        format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n");
    [head.as_bytes(), content, b"\r\n"].concat()
}

fn file_part(filename: &str, mime: &str, content: &[u8]) -> Vec<u8> {
    part(
        "file",
        &format!("; filename=\"{filename}\"\r\nContent-Type: {mime}"),
        content,
    )
}

fn purpose() -> Vec<u8> {
    part("purpose", "", b"general")
}

fn form(service: &Service, path: &str, parts: &[Vec<u8>]) -> RequestBuilder {
    let mut body = parts.concat();
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    let request = service.http.post(format!("{}{path}", service.base_url));
    request
        .bearer_auth(&service.token)
        .header(
            "Content-Type",
            format!("multipart/form-data; boundary={BOUNDARY}"),
        )
        .body(body)
}

fn upload(service: &Service, filename: &str, mime: &str, content: &[u8]) -> RequestBuilder {
    form(
        service,
        "/files",
        &[purpose(), file_part(filename, mime, content)],
    )
}

fn empty_post(service: &Service, path: &str) -> RequestBuilder {
    let request = service.http.post(format!("{}{path}", service.base_url));
    request.bearer_auth(&service.token)
}

fn id(file: &Value) -> &str {
    file["id"].as_str().expect("an id")
}

#[tokio::test]
async fn a_file_comes_back_as_it_went_with_its_parts_in_either_order() {
    for protocol in BOTH {
        let service = Service::start(protocol);
        let content: Vec<u8> = (0..200_000_u32).map(|number| (number * 7) as u8).collect();
        let parts = [purpose(), file_part("отчёт.txt", "text/plain", &content)];
        let reversed = [parts[1].clone(), parts[0].clone()];
        for parts in [&parts, &reversed] {
            let (status, file) = json_of(form(&service, "/files", parts)).await;
            assert_eq!(status, 200, "{file}");
            assert_eq!(file["filename"], "отчёт.txt");
            assert_eq!(file["bytes"], content.len());
            assert_eq!(
                (&file["object"], &file["purpose"]),
                (&json!("file"), &json!("general"))
            );
            assert_eq!(file["access_policy"], "private");
            let info = json_of(service.get(&format!("/files/{}", id(&file)))).await;
            assert_eq!(info, (200, file.clone()));
            let request = service.get(&format!("/files/{}/content", id(&file)));
            let response = send(request.header("Accept", "application/jpg")).await;
            assert_eq!(response.bytes().await.expect("bytes"), content);
        }
        let (_, list) = json_of(service.get("/files")).await;
        assert_eq!(list["data"].as_array().expect("a list").len(), 2);
        let counters = service.emulator.counters();
        assert_eq!((counters.files_uploaded, counters.files_downloaded), (2, 2));
        assert_eq!(counters.files_requests, 7);
    }
}

#[tokio::test]
async fn both_forms_of_deletion_delete() {
    let service = Service::start(Protocol::Http1);
    for with_form in [false, true] {
        let (_, file) = json_of(upload(&service, "a.txt", "text/plain", b"a")).await;
        let path = format!("/files/{}/delete", id(&file));
        let request = match with_form {
            true => form(&service, &path, &[part("file", "", id(&file).as_bytes())]),
            false => empty_post(&service, &path),
        };
        let gone = json!({"id": id(&file), "deleted": true, "access_policy": "private"});
        assert_eq!(json_of(request).await, (200, gone));
        let unknown = json!({"status": 404, "message": "No such file"});
        assert_eq!(
            json_of(service.get(&format!("/files/{}", id(&file)))).await,
            (404, unknown)
        );
        assert_eq!(json_of(empty_post(&service, &path)).await.0, 404);
    }
    assert_eq!(service.emulator.counters().files_deleted, 2);
}

#[tokio::test]
async fn a_file_of_a_user_is_there_for_this_user_only() {
    let service = Service::start(Protocol::Http1);
    let request = upload(&service, "a.txt", "text/plain", b"a").header("X-Client-ID", "anna");
    let (_, file) = json_of(request).await;
    let path = format!("/files/{}/content", id(&file));
    let attached = json!({"model": "GigaChat", "messages": [
        {"role": "user", "content": "read", "attachments": [id(&file)]}]});
    for (user, status) in [(Some("anna"), 200), (Some("boris"), 404), (None, 404)] {
        let with_user = |request: RequestBuilder| match user {
            Some(user) => request.header("X-Client-ID", user),
            None => request,
        };
        assert_eq!(send(with_user(service.get(&path))).await.status(), status);
        assert_eq!(
            send(with_user(service.chat(&attached))).await.status(),
            status
        );
    }
    let other = service
        .emulator
        .access_token_for("GIGACHAT_API_B2B", "other")
        .expect("a token");
    let request = service.http.get(format!("{}{path}", service.base_url));
    let request = request.bearer_auth(other).header("X-Client-ID", "anna");
    assert_eq!(send(request).await.status(), 404);
}

#[tokio::test]
async fn each_kind_of_file_has_its_bound() {
    let service = Service::start(Protocol::Http1);
    let large = vec![b'a'; 41 << 20];
    for (filename, mime, most) in [
        ("a.png", "image/png", 15 << 20),
        ("a.jpg", "application/octet-stream", 15 << 20),
        ("a.mp3", "audio/mp3", 35 << 20),
        ("a.txt", "text/plain", 40 << 20),
    ] {
        let within = upload(&service, filename, mime, &large[..most]);
        assert_eq!(send(within).await.status(), 200, "{filename}");
        let above = upload(&service, filename, mime, &large[..=most]);
        assert_eq!(send(above).await.status(), 413, "{filename}");
    }
}

#[tokio::test]
async fn the_oldest_files_are_forgotten() {
    let options = Options {
        most_file_bytes: 10,
        ..Options::default()
    };
    let service = Service::with(Protocol::Http1, options);
    let (_, first) = json_of(upload(&service, "a.txt", "text/plain", b"123456")).await;
    let (_, second) = json_of(upload(&service, "b.txt", "text/plain", b"123456")).await;
    assert_eq!(
        json_of(service.get(&format!("/files/{}", id(&first))))
            .await
            .0,
        404
    );
    assert_eq!(
        json_of(service.get("/files")).await.1,
        json!({"data": [second]})
    );
}

#[tokio::test]
async fn forms_out_of_order_are_refused() {
    let service = Service::start(Protocol::Http1);
    let file = file_part("a.txt", "text/plain", b"a");
    for parts in [
        vec![purpose()],
        vec![file.clone()],
        vec![purpose(), file_part("a.txt", "text/plain", b"")],
        vec![part("purpose", "", b"fun"), file],
    ] {
        assert_eq!(json_of(form(&service, "/files", &parts)).await.0, 400);
    }
    assert_eq!(json_of(service.post("/files", &json!({}))).await.0, 400);
    let cut = upload(&service, "a.txt", "text/plain", b"a").body(purpose());
    assert_eq!(json_of(cut).await.0, 400);
    assert_eq!(service.emulator.counters().files_uploaded, 0);
}

#[tokio::test]
async fn what_chat_makes_can_be_downloaded() {
    let service = Service::start(Protocol::Http2);
    for (text, start) in [
        ("draw a cat", &b"\xff\xd8\xff"[..]),
        ("sculpt a cat", b"glTF"),
    ] {
        let mut request = prompt(text);
        request["function_call"] = json!("auto");
        let (_, answer) = json_of(service.chat(&request)).await;
        let content = answer["choices"][0]["message"]["content"]
            .as_str()
            .expect("a text");
        let id = content.split('"').nth(1).expect("an id");
        let response = send(service.get(&format!("/files/{id}/content"))).await;
        assert_eq!(response.status(), 200);
        assert!(response.bytes().await.expect("bytes").starts_with(start));
    }
}

#[tokio::test]
async fn v2_has_no_files() {
    let service = Service::start(Protocol::Http1);
    let url = service.base_url.replace("/api/v1", "/v2/files");
    let response = send(service.http.get(url).bearer_auth(&service.token)).await;
    assert_eq!(response.status(), 403);
    assert!(response.text().await.expect("a page").contains("<html>"));
}

#[tokio::test]
async fn an_upload_is_cut_where_the_fault_says() {
    for protocol in BOTH {
        let service = Service::start(protocol);
        let cut = Fault::new(
            Endpoint::Upload,
            Action::UploadCut {
                bytes: 100_000,
                reset: false,
            },
        );
        service.emulator.faults().add(cut);
        let content = vec![b'a'; 8 << 20];
        let request = upload(&service, "a.txt", "text/plain", &content);
        request.send().await.expect_err("the connection is gone");
        // Other requests do not meet it, and it was met once.
        let request = upload(&service, "a.txt", "text/plain", &content);
        assert_eq!(send(request).await.status(), 200);
        let counters = service.emulator.counters();
        assert_eq!(
            (
                counters.fault_hits,
                counters.aborted_requests,
                counters.files_uploaded
            ),
            (1, 1, 1)
        );
    }
}

#[tokio::test]
async fn a_content_length_can_lie() {
    for protocol in BOTH {
        let service = Service::start(protocol);
        let (_, file) = json_of(upload(&service, "a.txt", "text/plain", b"0123456789")).await;
        let path = format!("/files/{}/content", id(&file));
        let lie = json!({"type": "content_length_lies", "by": 5});
        let response = send(fault(service.get(&path), &lie)).await;
        assert_eq!(response.headers()["content-length"], "15");
        response.bytes().await.expect_err("less came than was said");
        assert_eq!(
            send(service.get(&path)).await.bytes().await.expect("bytes"),
            "0123456789"
        );
    }
    // Less than comes: HTTP/1.1 sends what it said.
    let service = Service::start(Protocol::Http1);
    let (_, file) = json_of(upload(&service, "a.txt", "text/plain", b"0123456789")).await;
    let lie = json!({"type": "content_length_lies", "by": -4});
    let request = fault(service.get(&format!("/files/{}/content", id(&file))), &lie);
    assert_eq!(send(request).await.bytes().await.expect("bytes"), "012345");
}
