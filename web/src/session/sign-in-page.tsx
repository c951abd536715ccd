/** Where one comes in. */
export function SignInPage() {
  return (
    <main className="grid min-h-dvh place-items-center p-4">
      <h1 className="font-semibold text-lg">Sign in to certctl</h1>
    </main>
  );
}
