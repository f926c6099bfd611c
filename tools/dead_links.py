"""Looks for links of built pages that lead nowhere: `dead_links.py FOLDER`. Pages and anchors of the folder are
looked at; addresses of other hosts are not asked."""

import html.parser
import pathlib
import sys
import urllib.parse


class Page(html.parser.HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.links, self.anchors = [], {""}
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors.update(attributes[name] for name in ("id", "name") if attributes.get(name))
        self.links += [attributes[name] for name in ("href", "src") if attributes.get(name)]


def main(folder):
    pages = {path.resolve(): Page(path) for path in folder.rglob("*.html")}
    dead = []
    for path, page in pages.items():
        for link in page.links:
            place = urllib.parse.urlsplit(link)
            if place.scheme or place.netloc:
                continue
            target = (path.parent / urllib.parse.unquote(place.path)).resolve() if place.path else path
            if target.is_dir():
                target /= "index.html"
            known = pages.get(target)
            anchor = urllib.parse.unquote(place.fragment)
            if not target.exists() or (known and anchor not in known.anchors):
                dead.append(f"{path.relative_to(folder.resolve())}: {link}")
    if not pages:
        sys.exit("dead links: no pages")
    if dead:
        sys.exit("\n".join(dead))
    print(f"dead links: none in {len(pages)} pages")


main(pathlib.Path(sys.argv[1]))
