using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace PsyLite.Store.Accounts;

/// <summary>
/// An API key: <c>psy_</c>, eight characters that name it, and 256 random bits. The name is looked up and the rest compared as a hash, so that
/// the time of an answer tells nothing of the secret.
/// </summary>
internal sealed record ApiKey(string Id, string Secret)
{
    private const string Prefix = "psy_";
    private const int IdLength = 8;
    private const int SecretBytes = 32;

    /// <summary>32 bytes in base64 without padding.</summary>
    private const int SecretLength = 43;

    public static ApiKey Create() => new(
        RandomNumberGenerator.GetString("abcdefghijkmnpqrstuvwxyz23456789", IdLength),
        Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes)));

    /// <summary>Null for a text that is no such key.</summary>
    public static ApiKey? Parse(string text) =>
        text.Length == Prefix.Length + IdLength + 1 + SecretLength && text.StartsWith(Prefix, StringComparison.Ordinal) && text[Prefix.Length + IdLength] == '_'
            && text.AsSpan(Prefix.Length, IdLength).IndexOfAnyExceptInRange('0', 'z') < 0
            ? new ApiKey(text.Substring(Prefix.Length, IdLength), text[^SecretLength..])
            : null;

    /// <summary>A fast hash suffices: there are too many keys to try.</summary>
    public byte[] Hash() => SHA256.HashData(Encoding.UTF8.GetBytes($"psylite api key|{Id}|{Secret}"));

    public override string ToString() => $"{Prefix}{Id}_{Secret}";
}
