using System.Net;
using System.Net.Http.Headers;

namespace PsyLite.ModelStore;

/// <summary>A request that failed for good, in words for a person.</summary>
internal sealed class PullException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A request that may succeed when it is made again.</summary>
internal sealed class TransientPullException(string message, TimeSpan? retryAfter = null, Exception? inner = null) : Exception(message, inner)
{
    public TimeSpan? RetryAfter { get; } = retryAfter;
}

/// <summary>
/// HTTP to a registry or hub: follows redirects by itself, so that a token never reaches another host, and sorts answers into those that
/// are final and those worth another try.
/// </summary>
internal sealed class HubHttp : IDisposable
{
    private const int MaxRedirects = 6;
    private readonly HttpClient _client;
    private readonly DownloadLimits _limits;
    private readonly TimeProvider _time;

    /// <param name="token">Bearer token for the origin alone; null for none.</param>
    public HubHttp(Uri origin, string? token, DownloadLimits limits, TimeProvider time)
    {
        if (origin.Scheme != Uri.UriSchemeHttps && !origin.IsLoopback)
        {
            throw new PullException($"{origin} is not encrypted, so anyone on the way could change the model: use an https address.");
        }

        (Origin, Token, _limits, _time) = (origin, token, limits, time);
        _client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, ConnectTimeout = limits.Headers, MaxConnectionsPerServer = 32, UseCookies = false }) { Timeout = Timeout.InfiniteTimeSpan };
        _client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("psylite", "0.1"));
    }

    public Uri Origin { get; }

    public string? Token { get; set; }

    /// <summary>The answer of the last host in a chain of redirects, with its headers read.</summary>
    /// <param name="stopsAtOtherHost">Give back a redirect to another host instead of following it.</param>
    /// <exception cref="TransientPullException">Nobody answered in time, or the connection broke.</exception>
    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, Uri address, Action<HttpRequestMessage>? prepare, CancellationToken cancellationToken, bool stopsAtOtherHost = false)
    {
        for (var hop = 0; hop <= MaxRedirects; hop++)
        {
            using var request = new HttpRequestMessage(method, address);
            request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("identity"));
            prepare?.Invoke(request);
            if (Token is { Length: > 0 } && IsOrigin(address))
            {
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token);
            }

            var response = await HeadersAsync(request, cancellationToken);
            if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308) || response.Headers.Location is not { } location)
            {
                return response;
            }

            var next = new Uri(address, location);
            if (stopsAtOtherHost && !IsOrigin(next))
            {
                return response;
            }

            response.Dispose();
            if (next.Scheme != Uri.UriSchemeHttps && !(next.Scheme == Uri.UriSchemeHttp && next.IsLoopback && address.IsLoopback))
            {
                throw new PullException($"{address.Host} redirects to the unencrypted address {next.GetLeftPart(UriPartial.Path)}; that is refused.");
            }

            address = next;
        }

        throw new PullException($"{address.Host} redirects in a circle; try another mirror.");
    }

    /// <summary>Fails for an answer that is no success, in one of the two ways.</summary>
    /// <param name="atOrigin">False behind a redirect, where a refusal mostly means that a signed address has run out.</param>
    public void Check(HttpResponseMessage response, string what, bool atOrigin = true)
    {
        if (response.IsSuccessStatusCode)
        {
            return;
        }

        var host = response.RequestMessage!.RequestUri!.Host;
        throw (int)response.StatusCode switch
        {
            401 or 403 when atOrigin => new PullException($"{host} does not let {what} be read ({(int)response.StatusCode}): check the name; if the model is private or asks for its licence to be accepted, set a token (HF_TOKEN)."),
            404 or 410 when atOrigin => new PullException($"{host} has no {what}: check the name and the tag or file."),
            416 => new PullException($"{host} has a shorter file than it announced for {what}: try another mirror."),
            401 or 403 or 404 or 408 or 429 or >= 500 => new TransientPullException($"{host} answered {(int)response.StatusCode} for {what}", RetryAfter(response)),
            var code => new PullException($"{host} answered {code} for {what}; try later or another mirror."),
        };
    }

    /// <summary>A small answer as bytes; asks again where that may help.</summary>
    public async Task<byte[]> GetSmallAsync(Uri address, int limit, string what, string? accept, Random random, CancellationToken cancellationToken)
    {
        for (var failures = 1; ; failures++)
        {
            try
            {
                using var response = await SendAsync(HttpMethod.Get, address, r => r.Headers.TryAddWithoutValidation("Accept", accept ?? "*/*"), cancellationToken);
                if (response.StatusCode == HttpStatusCode.Unauthorized && Token is null && response.Headers.WwwAuthenticate.FirstOrDefault(h => h.Scheme == "Bearer") is { Parameter: { } challenge })
                {
                    Token = await RegistryToken.FetchAsync(this, challenge, random, cancellationToken);
                    continue;
                }

                Check(response, what);
                return await ReadAsync(response, limit, what, cancellationToken);
            }
            catch (TransientPullException fault) when (failures < _limits.Attempts)
            {
                await Task.Delay(_limits.Pause(failures, fault.RetryAfter, random), _time, cancellationToken);
            }
            catch (TransientPullException fault)
            {
                throw new PullException($"{fault.Message}; try later or another mirror.", fault);
            }
        }
    }

    public bool IsOrigin(Uri address) => Uri.Compare(address, Origin, UriComponents.SchemeAndServer, UriFormat.Unescaped, StringComparison.OrdinalIgnoreCase) == 0;

    public void Dispose() => _client.Dispose();

    private async Task<byte[]> ReadAsync(HttpResponseMessage response, int limit, string what, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(_limits.Stall);
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(timeout.Token);
            using var bytes = new MemoryStream();
            var buffer = new byte[16_384];
            for (int read; (read = await body.ReadAsync(buffer, timeout.Token)) > 0;)
            {
                bytes.Write(buffer, 0, read);
                if (bytes.Length > limit)
                {
                    throw new PullException($"{response.RequestMessage!.RequestUri!.Host} sent more than {limit} bytes for {what}; try another mirror.");
                }
            }

            return bytes.ToArray();
        }
        catch (Exception fault) when (IsBroken(fault, cancellationToken))
        {
            throw new TransientPullException($"the connection to {response.RequestMessage!.RequestUri!.Host} broke while {what} was read", null, fault);
        }
    }

    private async Task<HttpResponseMessage> HeadersAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(_limits.Headers);
        try
        {
            return await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, timeout.Token);
        }
        catch (Exception fault) when (IsBroken(fault, cancellationToken))
        {
            throw new TransientPullException($"{request.RequestUri!.Host} cannot be reached ({fault.GetBaseException().Message})", null, fault);
        }
    }

    /// <summary>A fault of the network or a time limit of ours, not a stop by the user.</summary>
    public static bool IsBroken(Exception fault, CancellationToken stopped) =>
        fault is HttpRequestException or IOException or System.Net.Sockets.SocketException || (fault is OperationCanceledException && !stopped.IsCancellationRequested);

    private TimeSpan? RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } wait } => wait,
        { Date: { } moment } => moment - _time.GetUtcNow(),
        _ => null,
    };
}
