"""What hands do on a page: they fill in fields, and press buttons."""

from datetime import UTC, datetime, timedelta

from playwright.async_api import Page, expect

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
"""As an input of dates takes it."""


async def fill(page: Page, **values: str) -> None:
    for name, value in values.items():
        await page.locator(f"[name='{name.replace('__', '.')}']").fill(value)


async def press(page: Page, name: str) -> None:
    """The button of the page; of the dialog where one is open."""
    await page.get_by_role("button", name=name, exact=True).last.click()


async def answer(page: Page, name: str) -> None:
    """The dialog's button, and the dialog is gone."""
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name=name, exact=True).click()
    await expect(dialog).to_have_count(0)
