using System.Net;

namespace PsyLite.Options;

/// <summary>
/// Who may reach the server. Beyond this machine people sign in, and nobody on the way reads along: the server speaks TLS itself, or a proxy that
/// the operator names does it and is the only one that may connect.
/// </summary>
internal static class Exposure
{
    /// <exception cref="InvalidDataException">An address is malformed, or would expose conversations; the message says what is missing.</exception>
    public static void CheckUrls(this AppOptions options)
    {
        foreach (var url in options.Urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            Check(options, url, Parse(url));
        }

        if (options.Certificate is { } certificate && !File.Exists(certificate))
        {
            throw new InvalidDataException($"PSYLITE_CERTIFICATE: there is no file {certificate}.");
        }

        if (options.CertificateKey is { } key && !File.Exists(key))
        {
            throw new InvalidDataException($"PSYLITE_CERTIFICATE_KEY: there is no file {key}.");
        }

        if (options.Proxies.Any(p => !IsLoopback(p)) && !options.Accounts)
        {
            throw new InvalidDataException("PSYLITE_PROXY lets people in from beyond this machine, which needs accounts: PSYLITE_ACCOUNTS=on, then psylite account add NAME --role admin");
        }
    }

    /// <exception cref="InvalidDataException">One is neither an address nor a network.</exception>
    public static IReadOnlyList<IPNetwork> NetworksOf(string? text, string source) => text is null ? []
        : [.. text.Split([',', ';'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(part =>
            IPAddress.TryParse(part, out var address) ? new IPNetwork(address, address.GetAddressBytes().Length * 8)
                : IPNetwork.TryParse(part, out var network) ? network
                : throw new InvalidDataException($"{source}: {part} is not an address; write it as 10.0.0.5 or 10.0.0.0/24, several separated by commas."))];

    private static void Check(AppOptions options, string url, Uri address)
    {
        if (address.Scheme == "https" && options.Certificate is null)
        {
            throw new InvalidDataException($"--urls {url} needs a certificate: PSYLITE_CERTIFICATE=FILE (and PSYLITE_CERTIFICATE_KEY=FILE), both PEM.");
        }

        if (IsLoopback(address))
        {
            return;
        }

        if (!options.Accounts)
        {
            throw new InvalidDataException($"--urls {url} reaches beyond this machine, which needs accounts: PSYLITE_ACCOUNTS=on, then psylite account add NAME --role admin");
        }

        if (address.Scheme != "https" && options.Proxies.Count == 0)
        {
            throw new InvalidDataException($"--urls {url} reaches beyond this machine without TLS: write https:// with PSYLITE_CERTIFICATE=FILE, or name the proxy in front with PSYLITE_PROXY=ADDRESS.");
        }
    }

    private static Uri Parse(string url) =>
        Uri.TryCreate(url.Replace("://*", "://0.0.0.0", StringComparison.Ordinal).Replace("://+", "://0.0.0.0", StringComparison.Ordinal), UriKind.Absolute, out var uri)
        && uri.Scheme is "http" or "https"
            ? uri
            : throw new InvalidDataException($"--urls {url} is not an address; write it as http://127.0.0.1:8080.");

    private static bool IsLoopback(Uri uri) =>
        uri.Host == "localhost" || (IPAddress.TryParse(uri.Host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    private static bool IsLoopback(IPNetwork network) => IPAddress.IsLoopback(network.BaseAddress) && network.PrefixLength >= 8;
}
