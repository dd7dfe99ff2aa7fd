using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using PsyLite.Models;
using PsyLite.Models.Gguf;

namespace PsyLite.Tests.ModelStore;

/// <summary>How the file server behaves for one request.</summary>
public sealed record Misbehaviour
{
    public static Misbehaviour None { get; } = new();

    /// <summary>Answers with this status instead of the file.</summary>
    public int Status { get; init; }

    /// <summary>Breaks the connection after so many bytes of the body.</summary>
    public int? DropsAfter { get; init; }

    /// <summary>Goes silent after so many bytes, until the client gives up.</summary>
    public int? HangsAfter { get; init; }

    public bool IgnoresRange { get; init; }

    public bool ClaimsAnotherLength { get; init; }

    public bool SendsAnotherPart { get; init; }

    /// <summary>Sends bytes that are not those of the file.</summary>
    public bool Corrupts { get; init; }

    public string ETag { get; init; } = "\"one\"";
}

/// <summary>
/// A registry that speaks Ollama's and HuggingFace's protocols and sends its files from another host, over real connections: the origin
/// is 127.0.0.1, the file server is localhost.
/// </summary>
public sealed class FakeHub : IAsyncDisposable
{
    public const string Commit = "0123456789abcdef0123456789abcdef01234567";
    private WebApplication? _app;

    private FakeHub(byte[] model) => Model = model;

    public byte[] Model { get; }

    public string Sha256 => Convert.ToHexStringLower(SHA256.HashData(Model));

    public Uri Origin { get; private set; } = new("http://127.0.0.1/");

    /// <summary>Asked for each request for a file's bytes, by its number.</summary>
    public Func<int, Misbehaviour> Behaves { get; set; } = _ => Misbehaviour.None;

    public int OriginStatus { get; set; } = 200;

    public int OriginFailures { get; set; }

    public bool WantsToken { get; set; }

    public bool TellsHash { get; set; } = true;

    public string? AnnouncedSha256 { get; set; }

    public int FileRequests => _fileRequests;

    public long BytesSent => Interlocked.Read(ref _bytesSent);

    public ConcurrentBag<string> AuthorizationAtFileServer { get; } = [];

    public ConcurrentBag<string> AuthorizationAtOrigin { get; } = [];

    private int _fileRequests;
    private long _bytesSent;

    public static async Task<FakeHub> StartAsync(int modelBytes = 300_000)
    {
        var hub = new FakeHub(Gguf(modelBytes));
        hub._app = await LoopbackApp.StartAsync(hub.AnswerAsync);
        hub.Origin = new Uri(hub._app.Urls.First() + "/");
        return hub;
    }

    /// <summary>A well-formed file of about this size.</summary>
    public static byte[] Gguf(int bytes)
    {
        var path = Path.GetTempFileName();
        try
        {
            var values = new float[bytes / 4];
            var random = new Random(7);
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = random.NextSingle();
            }

            new GgufWriter().Set("general.architecture", "internlm2").Set("general.file_type", 15u).Set("internlm2.context_length", 4096u).Set("general.license", "apache-2.0")
                .Add("output_norm.weight", GgmlType.F32, TensorSource.From(values, values.Length)).Write(path);
            return File.ReadAllBytes(path);
        }
        finally
        {
            File.Delete(path);
        }
    }

    public async ValueTask DisposeAsync() => await _app!.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        if (path.StartsWith("/cdn/", StringComparison.Ordinal))
        {
            AuthorizationAtFileServer.Add(context.Request.Headers.Authorization.ToString());
            await FileAsync(context);
            return;
        }

        AuthorizationAtOrigin.Add(context.Request.Headers.Authorization.ToString());
        if (path == "/token")
        {
            await JsonAsync(context, new { token = "anonymous" });
        }
        else if (OriginFailures-- > 0 || OriginStatus != 200)
        {
            context.Response.StatusCode = OriginStatus == 200 ? 503 : OriginStatus;
            context.Response.Headers.RetryAfter = "0";
        }
        else if (WantsToken && context.Request.Headers.Authorization != "Bearer anonymous")
        {
            context.Response.StatusCode = 401;
            context.Response.Headers.WWWAuthenticate = $"Bearer realm=\"{Origin}token\",service=\"fake\",scope=\"repository:a/b:pull\"";
        }
        else
        {
            await OriginAsync(context, path);
        }
    }

    private async Task OriginAsync(HttpContext context, string path)
    {
        var announced = AnnouncedSha256 ?? Sha256;
        switch (path)
        {
            case "/v2/someone/counsel/manifests/q4" or "/v2/library/plain/manifests/latest":
                await JsonAsync(context, new
                {
                    schemaVersion = 2,
                    layers = new[]
                    {
                        new { mediaType = "application/vnd.ollama.image.model", digest = $"sha256:{announced}", size = Model.Length },
                        new { mediaType = "application/vnd.ollama.image.license", digest = $"sha256:{Convert.ToHexStringLower(SHA256.HashData(Licence))}", size = Licence.Length },
                    },
                });
                break;
            case "/v2/someone/parts/manifests/latest":
                await JsonAsync(context, new { schemaVersion = 2, layers = Array.Empty<object>() });
                break;
            case "/v2/someone/odd/manifests/latest":
                await context.Response.WriteAsync("<html>");
                break;
            case "/api/models/owner/repo/revision/main" or $"/api/models/owner/repo/revision/{Commit}":
                await JsonAsync(context, new { sha = Commit, tags = new[] { "gguf", "license:mit" } });
                break;
            case $"/api/models/owner/repo/tree/{Commit}":
                await JsonAsync(context, new object[]
                {
                    new { type = "file", path = "README.md", size = 3, oid = "1" },
                    new { type = "file", path = "sub/model-q4.gguf", size = Model.Length, oid = "2", lfs = TellsHash ? new { oid = announced, size = Model.Length } : null },
                });
                break;
            case $"/owner/repo/resolve/{Commit}/sub/model-q4.gguf" when HttpMethods.IsHead(context.Request.Method) && !TellsHash:
                break;
            case $"/owner/repo/resolve/{Commit}/sub/model-q4.gguf":
                context.Response.Headers["X-Repo-Commit"] = Commit;
                context.Response.Headers["X-Linked-ETag"] = $"\"{announced}\"";
                context.Response.Headers["X-Linked-Size"] = Model.Length.ToString(CultureInfo.InvariantCulture);
                Redirect(context, "model");
                break;
            case var blob when blob.Contains("/blobs/", StringComparison.Ordinal):
                Redirect(context, blob.EndsWith(announced, StringComparison.Ordinal) ? "model" : "licence");
                break;
            default:
                context.Response.StatusCode = 404;
                break;
        }
    }

    private static byte[] Licence { get; } = Encoding.UTF8.GetBytes("\nApache License, Version 2.0\nmore text\n");

    private void Redirect(HttpContext context, string file)
    {
        context.Response.StatusCode = 307;
        context.Response.Headers.Location = $"http://localhost:{Origin.Port}/cdn/{file}";
    }

    private static Task JsonAsync(HttpContext context, object value) => context.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(value)).AsTask();

    private async Task FileAsync(HttpContext context)
    {
        var isModel = context.Request.Path.Value!.EndsWith("model", StringComparison.Ordinal);
        var bytes = isModel ? Model : Licence;
        var behaviour = isModel ? Behaves(Interlocked.Increment(ref _fileRequests)) : Misbehaviour.None;
        if (behaviour.Status != 0)
        {
            context.Response.StatusCode = behaviour.Status;
            context.Response.Headers.RetryAfter = "0";
            return;
        }

        var (start, end) = (0, bytes.Length);
        var range = context.Request.Headers.Range.ToString();
        if (range.StartsWith("bytes=", StringComparison.Ordinal) && !behaviour.IgnoresRange)
        {
            var ends = range["bytes=".Length..].Split('-');
            (start, end) = (int.Parse(ends[0], CultureInfo.InvariantCulture), int.Parse(ends[1], CultureInfo.InvariantCulture) + 1);
            start = behaviour.SendsAnotherPart ? 0 : start;
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = $"bytes {start}-{end - 1}/{bytes.Length + (behaviour.ClaimsAnotherLength ? 1 : 0)}";
        }

        context.Response.Headers.ETag = behaviour.ETag;
        context.Response.ContentLength = end - start + (behaviour.ClaimsAnotherLength && range.Length == 0 ? 1 : 0);
        await SendAsync(context, bytes.AsMemory(start, end - start), behaviour);
    }

    private async Task SendAsync(HttpContext context, ReadOnlyMemory<byte> bytes, Misbehaviour behaviour)
    {
        var body = behaviour.Corrupts ? bytes.ToArray().Select(b => (byte)~b).ToArray() : bytes;
        for (var at = 0; at < body.Length;)
        {
            var stop = Math.Min(behaviour.DropsAfter ?? int.MaxValue, behaviour.HangsAfter ?? int.MaxValue);
            var part = Math.Min(Math.Min(4096, body.Length - at), stop - at);
            if (part == 0)
            {
                if (behaviour.HangsAfter is not null)
                {
                    await context.Response.Body.FlushAsync();
                    await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
                }

                context.Abort();
                return;
            }

            await context.Response.Body.WriteAsync(body.Slice(at, part), context.RequestAborted);
            Interlocked.Add(ref _bytesSent, part);
            at += part;
        }
    }
}
